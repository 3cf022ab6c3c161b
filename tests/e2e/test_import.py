"""A privacy export beside the plays of the API: each play counts once, whatever overlaps."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from cli.import_history import import_history
from local.spotify import LibraryPlan
from local.spotify.privacy_export import write_privacy_export
from tests.e2e.world import FIRST_HOURLY_RUN, START, TIMEZONE, World, accounts, world

pytestmark = pytest.mark.slow

DAYS = 2
EXPORTED_AT = (START + timedelta(hours=18), START + timedelta(days=1, hours=15))
"""Two exports, the earlier one in the span of the later; then there are plays that only the API has."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(("end", "apart"), id="end"),
        pytest.param(("start", "apart"), id="start"),
        pytest.param(("mixed", "together"), id="mixed, in one command"),
    ],
    name="imported",
)
def fixture_imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    convention, given = request.param
    plan = LibraryPlan(
        saved_tracks=10, playlists=2, saved_albums=2, plays_per_day=60, export_days=200, played_at=convention,
        timezone=TIMEZONE,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("cloud")
    streams = '["profile", "recently_played"]'
    with world(folder, plan, config={"streams": streams}) as made, pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": made.cloud.server.url,
            "AWS_ACCESS_KEY_ID": made.cloud.server.owner.access_key_id,
            "AWS_SECRET_ACCESS_KEY": made.cloud.server.owner.secret_access_key,
            "AWS_DEFAULT_REGION": made.cloud.server.region,
        }.items():
            patch.setenv(name, value)
        made.cloud.run_until(START + timedelta(days=1, hours=16))
        exports = []
        for number, moment in enumerate(EXPORTED_AT):
            target = folder / str(number)
            target.mkdir()
            exports.append(write_privacy_export(made.library, target, moment, zipped=bool(number)))
        for paths in [exports] if given == "together" else [[export] for export in exports]:
            console = Console(file=io.StringIO())
            import_history(paths, made.outputs["raw_bucket_name"], account_id=None, again=False, console=console)
            made.cloud.run_until(made.cloud.now + timedelta(minutes=5))
        made.live(DAYS)
        yield made


def test_nothing_went_wrong(imported: World) -> None:
    assert imported.errors() == []
    answer = imported.ask("SELECT status, count(*) FROM run_history WHERE stream = 'streaming_history' GROUP BY status")
    assert dict(answer.rows).keys() == {"complete"}  # type: ignore[arg-type] # pairs


def test_every_line_of_the_exports_is_one_row_or_one_rejected_record(imported: World) -> None:
    counted = accounts(imported)
    assert "streaming_history" in {stream for stream, _, _ in counted.values()}
    assert {key: counts for key, counts in counted.items() if counts[1] != counts[2]} == {}


def test_each_play_counts_once(imported: World) -> None:
    answer = imported.ask("SELECT source, played_at, item_uri, ms_played FROM listens")
    assert sorted(answer.rows, key=repr) == sorted(_expected(imported), key=repr)


def _expected(imported: World) -> Iterator[tuple[Any, ...]]:
    """The later export, and what the API alone has: what ended after it."""
    until = EXPORTED_AT[-1]
    for one in imported.library.streaming_history(until):
        uri = one["spotify_track_uri"] or one["spotify_episode_uri"] or one["audiobook_chapter_uri"] or ""
        yield "streaming_history", _athena(datetime.fromisoformat(one["ts"])), uri, str(one["ms_played"])
    for play in imported.library.plays_polled_since(FIRST_HOURLY_RUN):
        if play.ended_at > until:
            yield "recently_played", _athena(play.played_at), play.track.uri, None


def _athena(moment: datetime) -> str:
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"


def test_export_left_no_personal_data(imported: World) -> None:
    buckets = ("raw_bucket_name", "transformed_bucket_name")
    stored = [(key, body) for bucket in buckets for key, body, _ in imported.objects(bucket)]
    lines = [gzip.decompress(body) if key.endswith(".gz") else body for key, body in stored]
    assert any(b"ms_played" in body for body in lines)
    assert [
        key for (key, _), body in zip(stored, lines, strict=True) if b"ip_addr" in body or b"user_agent" in body
    ] == []
