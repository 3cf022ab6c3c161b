"""A library far too large for one day's quota: loaded over days, and complete in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from math import ceil

import pytest

from spotify_simulator import LibraryPlan, Quota
from tests.e2e.world import FIRST_DAILY_RUN, TIMEZONE, World, world

pytestmark = pytest.mark.slow

DAYS = 5
PLAN = LibraryPlan(
    saved_tracks=100_000, playlists=300, saved_albums=20, plays_per_day=0, history_days=0, playlist_entries=12_000,
    timezone=TIMEZONE,
)  # fmt: skip
STREAMS = '["profile", "playlists", "playlist_items", "saved_tracks", "saved_albums"]'
LOCKS = 3


@pytest.fixture(scope="module", name="loaded")
def fixture_loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("cloud"), PLAN, config={"streams": STREAMS}) as made:
        made.cloud.spotify.quotas += [
            Quota("library", [r"me/(tracks|albums)"], requests=600, lock=timedelta(hours=24), locks=LOCKS),
            Quota("playlists", [r"(me/)?playlists"], requests=150, lock=timedelta(hours=24), locks=LOCKS),
        ]
        made.live(DAYS)
        yield made


def test_both_groups_were_locked_and_never_asked_while_they_were(loaded: World) -> None:
    for quota in loaded.cloud.spotify.quotas:
        assert (quota.name, quota.locks, quota.refused_while_locked) == (quota.name, 0, 0)
    assert loaded.errors() == []


def test_runs_say_what_they_lack_until_nothing_is_lacking(loaded: World) -> None:
    manifests = loaded.manifests()
    statuses = [manifest["status"] for manifest in manifests]
    assert statuses[0] == "partial"
    assert statuses[-1] == "complete"
    for manifest in manifests:
        locked = [unit for unit in manifest["units"] if unit["reason"] == "locked"]
        assert bool(locked) == (manifest["status"] == "partial")
        assert all(unit["locked_until"] and not unit["read_complete"] for unit in locked)


def test_a_lock_of_a_day_costs_a_day_and_not_two(loaded: World) -> None:
    """Let the next daily run start minutes before the lock ends, and wait for it."""
    found = [
        (unit["status"], unit["reason"])
        for manifest in loaded.manifests()
        for unit in manifest["units"]
        if unit["stream"] == "saved_tracks" and unit["read_id"]
    ]
    assert found[: LOCKS + 1] == [("partial", "locked")] * LOCKS + [("complete", None)]


def test_no_page_was_asked_for_twice_but_where_the_read_was_cut(loaded: World) -> None:
    [whole] = [
        unit
        for manifest in loaded.manifests()
        for unit in manifest["units"]
        if unit["stream"] == "saved_tracks" and unit["status"] == "complete" and unit["mode"] == "full"
    ][:1]
    asked = sum(
        unit["requests"]
        for manifest in loaded.manifests()
        for unit in manifest["units"]
        if unit["stream"] == "saved_tracks" and unit["read_id"] == whole["read_id"]
    )
    pages = ceil(whole["read_records"] / 50)
    # A read that is cut off costs one page, read again to find the place, and the refused request.
    assert pages <= asked <= pages + 3 * (LOCKS + 1)


def test_saved_tracks_are_all_there_and_none_twice(loaded: World) -> None:
    result = loaded.query("SELECT item_uri, count(*) FROM current_saved_tracks GROUP BY item_uri")
    assert Counter(count for _, count in result.rows) == {"1": len(result.rows)}
    found = {uri for uri, _ in result.rows}
    expected = {saved.track.uri for saved in loaded.library.at(loaded.mornings[-1]).saved_tracks}
    assert expected - found == set()
    # A track that was unsaved after the read began remains until the next full read.
    ever = {saved.track.uri for morning in loaded.mornings for saved in loaded.library.at(morning).saved_tracks}
    assert found - ever == set()


def test_playlists_are_those_of_the_model(loaded: World) -> None:
    library = loaded.library.at(loaded.mornings[-1])
    result = loaded.query("SELECT playlist_id, position, item_uri FROM current_playlist_items")
    assert sorted(result.rows, key=repr) == sorted(
        (
            (playlist.playlist_id, str(position), entry.item.uri if entry.item else "")
            for playlist in library.readable_playlists
            for position, entry in enumerate(library.playlist_entries(playlist.playlist_id))
        ),
        key=repr,
    )


def test_first_run_is_that_of_the_first_morning(loaded: World) -> None:
    assert loaded.manifests()[0]["scheduled_at"].startswith(f"{FIRST_DAILY_RUN:%Y-%m-%dT%H:%M}")
