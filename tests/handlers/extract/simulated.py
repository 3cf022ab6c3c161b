"""The extract function in this process, the simulator as Spotify, AWS in memory; results compared to the model."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import time_machine

from handlers.extract import handler as function
from handlers.streams import READABLE_STREAMS, STREAMS, scopes
from spotify_simulator import Library, LibraryPlan, Simulator
from spotify_simulator.model.saved import SAVED_KINDS
from spotify_simulator.model.top_lists import TIME_RANGES
from tests.handlers.extract.stage import Context
from tests.handlers.raw.stored import BUCKET
from tests.memory_aws import memory_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

START = datetime(2026, 11, 2, 5, tzinfo=UTC)
PLAN = LibraryPlan(
    saved_tracks=120, playlists=8, saved_albums=55, plays_per_day=40, followed_artists=55, saved_shows=3,
    saved_episodes=4, playlist_entries=130,
)  # fmt: skip
EVERY_STREAM = tuple(READABLE_STREAMS)

Json = dict[str, Any]
Unit = tuple[str, str]


@dataclass
class World:
    """A library and what the function has stored of it."""

    library: Library
    simulator: Simulator
    s3: S3Client
    catalogue: tuple[str, ...]

    def run(
        self,
        at: datetime = START,
        streams: tuple[str, ...] = EVERY_STREAM,
        context: Context | None = None,
        **event: Any,
    ) -> Json:
        """Invoke the function at a simulated time and return the manifest."""
        asked = {"trigger": "manual", "scheduled_time": f"{at:%Y-%m-%dT%H:%M:%SZ}", "streams": list(streams), **event}
        with time_machine.travel(at, tick=True):
            summary = function.handler(asked, context or Context())  # type: ignore[arg-type] # a stand-in for Lambda's
        manifest: Json = self.json(summary["manifest"])
        return manifest

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [one["Key"] for page in pages for one in page.get("Contents", [])]

    def bytes(self, key: str) -> bytes:
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()

    def json(self, key: str) -> Json:
        content: Json = json.loads(self.bytes(key))
        return content

    def lines(self, key: str) -> list[Json]:
        return [json.loads(line) for line in gzip.decompress(self.bytes(key)).splitlines()]

    def current(self) -> dict[Unit, list[str]]:
        """Return the newest complete read of each unit, from manifests and raw objects only, like the views."""
        newest: dict[Unit, Json] = {}
        manifests = sorted(map(self.json, self.keys("runs/")), key=lambda one: str(one["started_at"]))
        for manifest in manifests:
            for unit in manifest["units"]:
                if unit["read_complete"] and unit["stream"] != "recently_played":
                    newest[unit["stream"], unit["unit"]] = unit
        found: dict[Unit, list[str]] = {}
        for name, unit in newest.items():
            lines = [line for key in unit["read_keys"] for line in self.lines(key)]
            assert len(lines) == unit["read_records"], name
            found[name] = [shown(line["stream"], line["context"], line["record"]) for line in lines]
        return found

    def recent(self, at: datetime) -> list[str]:
        """Return the plays that Spotify remembers at a moment."""
        return [f"{_millis(play.played_at)} {play.track.uri}" for play in self.library.at(at).recent_plays]

    def plays(self) -> list[str]:
        """Return every play that was written."""
        lines = [line for key in self.keys("raw/recently_played/") for line in self.lines(key)]
        return [f"{line['record']['played_at']} {line['record']['track']['uri']}" for line in lines]

    def expected(self, at: datetime) -> dict[Unit, list[str]]:
        """Return what `current` must be after an undisturbed run at that moment."""
        return model(self.library.at(at), self.catalogue)


def _millis(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def shown(stream: str, context: Mapping[str, Any], record: Any) -> str:
    """Return a record in a form that the model can produce too."""
    if record is None:
        return "null"
    if stream == "playlist_items":
        item = record.get("item") or record.get("track")
        return f"{context['position']} {item['uri'] if item else None}"
    if key := STREAMS[stream].item_keys[0]:
        return str(record[key]["uri"])
    uri = str(record.get("uri"))
    return f"{context['time_range']} {context['rank']} {uri}" if "rank" in context else uri


def model(library: Library, catalogue: tuple[str, ...]) -> dict[Unit, list[str]]:
    """Return the library as the function must find it."""
    expected: dict[Unit, list[str]] = {
        ("profile", ""): [f"spotify:user:{library.profile.user.user_id}"],
        ("playlists", ""): [_listed(one) for one in library.listed_playlists],
        ("saved_tracks", ""): [saved.track.uri for saved in library.listed_saved_tracks],
        **{(kind.name, ""): [saved.item.uri for saved in library.saved(kind)] for kind in SAVED_KINDS},
        ("followed_artists", ""): [artist.uri for artist in library.followed_artists],
        ("top_tracks", ""): _ranked({one: library.top_tracks(one) for one in TIME_RANGES}),
        ("top_artists", ""): _ranked({one: library.top_artists(one) for one in TIME_RANGES}),
    }
    for playlist in library.readable_playlists:
        entries = library.playlist_entries(playlist.playlist_id)
        expected["playlist_items", playlist.playlist_id] = [
            f"{position} {entry.item.uri if entry.item else None}" for position, entry in enumerate(entries)
        ]
    for uri in catalogue:
        _, kind, name = uri.split(":")
        albums = [album.uri for album in library.artist_albums(name)] if kind == "artist" else []
        expected["catalogue", name] = [uri, *albums]
    return expected


def _listed(one: Any) -> str:
    return "null" if one is None else str(getattr(one, "playlist", one).uri)


def _ranked(lists: Mapping[str, Any]) -> list[str]:
    return [f"{name} {rank} {one.uri}" for name, found in lists.items() for rank, one in enumerate(found, start=1)]


@contextmanager
def simulated(
    monkeypatch: pytest.MonkeyPatch,
    plan: LibraryPlan = PLAN,
    *,
    shape: Any = "development",
    streams: tuple[str, ...] = EVERY_STREAM,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[World]:
    """Provide a new library with a login, before any run."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        monkeypatch.setenv(name, value)
    # Waits and pacing are for Spotify, not for the simulator.
    monkeypatch.setattr("handlers.extract.spotify.pacing.sleep", lambda _: None)
    monkeypatch.setattr("handlers.extract.spotify.client.sleep", lambda _: None)
    monkeypatch.setattr("urllib3.util.retry.time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    library = _library(plan).at(START)
    with memory_aws(), Simulator(library, clock, shape=shape) as simulator:
        s3, secrets = _clients()
        monkeypatch.setattr(function, "_s3", lambda: s3)
        monkeypatch.setattr(function, "_secrets", lambda: secrets)
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        with time_machine.travel(START, tick=True):
            token = simulator.authorize(scopes(streams))
        login = {
            "client_id": simulator.client_id,
            "client_secret": simulator.client_secret,
            "refresh_token": token,
            "scope": " ".join(scopes(streams)),
            "authorized_at": "2026-11-01T00:00:00Z",
        }
        arn = secrets.create_secret(Name="spotify", SecretString=json.dumps(login))["ARN"]
        catalogue = library.uris_to_ask_for()
        for name, value in {
            "RAW_BUCKET": BUCKET,
            "SPOTIFY_SECRET_ARN": arn,
            "STREAMS": ",".join(streams),
            "SPOTIFY_API_URL": simulator.api_url,
            "SPOTIFY_ACCOUNTS_URL": simulator.accounts_url,
            "TRANSFORMED_RETENTION_DAYS": "90",
            "AUTH_MODE": "user",
            "CATALOGUE_URIS": " ".join(catalogue),
        }.items():
            monkeypatch.setenv(name, value)
        yield World(library, simulator, s3, catalogue)
        assert simulator.unmodelled == []


@cache
def _clients() -> tuple[S3Client, SecretsManagerClient]:
    """Return the function's clients, which take longer to create than a run takes."""
    return function._s3.__wrapped__(), function._secrets.__wrapped__()


@cache
def _library(plan: LibraryPlan) -> Library:
    return Library.planned(11, plan, start=START)
