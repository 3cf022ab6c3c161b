"""Every known failure of Spotify on every stream: nothing is lost, and nothing incomplete is called complete."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from handlers.extract.handler import RunFailedError
from spotify_simulator import LibraryPlan
from spotify_simulator.web.faults import FAULTS
from tests.handlers.extract.simulated import EVERY_STREAM, START, Json, World, simulated
from tests.thoroughness import sampled

PLAN = LibraryPlan(
    saved_tracks=60, playlists=3, saved_albums=55, plays_per_day=40, followed_artists=60, saved_shows=2,
    saved_episodes=2, playlist_entries=60, top_items=60,
)  # fmt: skip
LATER = START + timedelta(hours=26)
"""When even a lock of a day has ended."""
KINDS_OF_FAULTS = [
    ("rate_limit_short", "profile"),
    ("gzip_garbage", "saved_tracks"),
    ("forbidden_plain_text", "playlist_items"),
    ("list_ends_early", "followed_artists"),
    ("total_too_high", "recently_played"),
    ("token_refresh_token_revoked", "catalogue"),
]
"""Those of the fast tests: a fault of each kind, and each on another kind of stream."""
CASES = sampled([(fault, stream) for fault in FAULTS for stream in EVERY_STREAM], KINDS_OF_FAULTS)
WITHOUT_TOTAL = {"profile", "recently_played"}
"""Streams of one page without a total, so an early end goes unnoticed."""
OF_LENGTH = {"list_ends_early", "total_too_high"}
LOGIN_FAULTS = ("token_refresh_token_expired", "token_refresh_token_revoked", "token_invalid_client")


@pytest.mark.parametrize(("name", "stream"), CASES)
def test_nothing_is_lost(monkeypatch: pytest.MonkeyPatch, name: str, stream: str) -> None:
    known = FAULTS[name]
    if "no_answer" in name:
        monkeypatch.setattr("handlers.extract.spotify.session.TIMEOUTS", (1.0, 0.8))
    with simulated(monkeypatch, PLAN) as world:
        # The first request is for the account, and the only one for the profile.
        first = 1 if stream == "profile" else 2
        strikes = (first,) if known.transient else range(first, 10_000)
        world.simulator.faults.append(known("/v1/", nth=strikes) if known.path is None else known())
        refused = run(world, stream)
        _check_what_is_said(world, refused, stream, whole=name != "list_ends_early")
        seen = stream not in WITHOUT_TOTAL if name in OF_LENGTH else not name.startswith("next_")
        if not known.transient and seen:
            assert refused["status"] in {"failed", "partial", "skipped"} or stream == "playlist_items", refused
        if name in LOGIN_FAULTS:
            assert "spotify-etl login" in refused["reason"]
            assert [one.path for one in world.simulator.requests] == ["/api/token"]

        world.simulator.faults.clear()
        mended = world.run(LATER, (stream,))
        assert mended["status"] == "complete", mended
        assert stream != "recently_played" or set(world.plays()) >= set(world.recent(LATER))
        expected = {unit: rows for unit, rows in world.expected(LATER).items() if unit[0] == stream}
        found = world.current()
        if stream == "saved_tracks":
            # Removed items remain until the next full read.
            assert set(found[stream, ""]) >= set(expected[stream, ""])
        else:
            assert {unit: rows for unit, rows in found.items() if unit in expected} == expected


def run(world: World, stream: str) -> Json:
    """Return the manifest of a run that may raise for a retry by Lambda."""
    with suppress(RunFailedError):
        return world.run(streams=(stream,))
    [key] = world.keys("runs/")
    return world.json(key)


def _check_what_is_said(world: World, manifest: Json, stream: str, *, whole: bool) -> None:
    """Check that manifest and raw objects agree, that complete units are whole, and short ones have what was served."""
    units = manifest["units"]
    assert {one["stream"] for one in units} == {stream}
    keys = world.keys(f"raw/{stream}/")
    lines = [line for key in keys for line in world.lines(key)]
    assert (sum(one["objects"] for one in units), sum(one["records"] for one in units)) == (len(keys), len(lines))
    for one in units:
        if one["status"] == "complete":
            assert one["read_complete"]
        elif one["reason"] == "short" and (one["unit"] or stream != "playlist_items"):
            assert (one["read_complete"], one["read_records"]) == (True, one["records"])
        else:
            # Or the listing of playlists was short, which left this stream nothing to read.
            assert one["reason"], one
            assert (one["read_complete"], one["read_keys"], one["read_records"]) == (False, [], 0)
    expected = world.expected(START)
    for name, rows in world.current().items():
        assert rows == expected[name] if whole else set(rows) <= set(expected[name])
