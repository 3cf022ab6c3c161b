"""Every stream against the simulator: reads end, are repeatable, and resume after any interruption."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from math import ceil

import pytest

from handlers.streams import READABLE_STREAMS, STREAMS
from spotify_simulator import LibraryPlan
from spotify_simulator.model.top_lists import TIME_RANGES
from spotify_simulator.web.faults import Fault
from tests.handlers.extract.simulated import EVERY_STREAM, START, World, simulated
from tests.thoroughness import sampled

DAY = timedelta(days=1)


# By cursor; test_resume.py cuts those by offset, and the slow tests all.
_PAGINGS = ("followed_artists",)
# Kinds of reads; test_incremental.py and test_append.py repeat the others.
_READS = ("profile", "playlist_items", "saved_albums")


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with simulated(monkeypatch) as world:
        yield world


def requests(world: World) -> list[str]:
    """Return the requested paths, without token requests."""
    return [one.path.removeprefix("/v1/") for one in world.simulator.requests if one.path.startswith("/v1/")]


@pytest.mark.parametrize("shape", ["development", pytest.param("extended", marks=pytest.mark.slow)])
def test_all_of_the_library_is_read(monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    with simulated(monkeypatch, shape=shape) as world:
        manifest = world.run()
        assert {one["stream"] for one in manifest["units"]} == set(READABLE_STREAMS)
        assert {(one["stream"], one["reason"]) for one in manifest["units"] if one["status"] != "complete"} <= {
            ("playlist_items", "not_owned")
        }
        assert (manifest["status"], manifest["account_id"]) == ("complete", world.library.account_id)
        assert world.current() == world.expected(START)
        assert sum(one["requests"] for one in manifest["units"]) == len(requests(world))


@pytest.mark.parametrize("stream", sampled(EVERY_STREAM, _READS))
def test_stream_is_the_same_twice(world: World, stream: str) -> None:
    first, second = world.run(streams=(stream,)), world.run(START + timedelta(minutes=1), (stream,))
    assert {one["status"] for one in first["units"]} <= {"complete", "skipped"}
    assert {one["status"] for one in second["units"]} <= {"unchanged", "skipped"}
    repeated = ("stream", "unit", "read_id", "read_complete", "read_keys", "read_records")
    assert [{name: one[name] for name in repeated} for one in second["units"]] == [
        {name: one[name] for name in repeated} for one in first["units"]
    ]


@pytest.mark.parametrize(
    "stream",
    sampled(EVERY_STREAM, _PAGINGS),
)
def test_stream_goes_on_from_any_cut(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    with simulated(monkeypatch) as world:
        world.run(streams=(stream,))
        whole = len(requests(world))
    for cut in range(1, whole + 1):
        with simulated(monkeypatch) as world:
            body = '{"error": {"status": 404, "message": "Not found"}}'
            lock = Fault("/v1/", nth=range(cut, 1000), status=429, body=body, headers={"Retry-After": "3600"})
            world.simulator.faults.append(lock)
            refused = world.run(streams=(stream,))
            assert refused["status"] in {"partial", "failed"} or cut == whole, (cut, refused)
            world.simulator.faults.clear()
            world.simulator.requests.clear()
            at = START + timedelta(hours=2)
            mended = world.run(at, (stream,))
            assert mended["status"] == "complete", (cut, mended)
            assert stream != "recently_played" or set(world.plays()) >= set(world.recent(at))
            assert world.current() == {unit: rows for unit, rows in world.expected(at).items() if unit[0] == stream}


@pytest.mark.slow
def test_unchanged_second_day_asks_for_no_more_than_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    daily = tuple(name for name, stream in STREAMS.items() if stream.default and "daily" in stream.schedules)
    with simulated(monkeypatch, streams=(*daily, "recently_played")) as world:
        first = world.run(streams=daily)
        at = START + timedelta(hours=1)  # nothing changes at night
        assert world.expected(at) == world.expected(START)
        world.simulator.requests.clear()
        second = world.run(at, daily)
        assert {one["status"] for one in first["units"]} <= {"complete", "skipped"}
        assert {one["status"] for one in second["units"]} <= {"unchanged", "skipped"}
        library = world.library
        tops = [*map(library.top_tracks, TIME_RANGES), *map(library.top_artists, TIME_RANGES)]
        assert len(requests(world)) == (
            _pages(len(library.listed_playlists))
            + _pages(len(library.saved_albums))
            + _pages(len(library.followed_artists))
            + sum(_pages(len(top)) for top in tops)
            + 2
        )


def test_first_day_asks_once_for_each_page_and_once_more_for_the_playlists(world: World) -> None:
    world.run(streams=("profile", "playlists", "playlist_items", "saved_tracks"))
    library = world.library
    entries = sum(_pages(len(library.playlist_entries(one.playlist_id))) for one in library.readable_playlists)
    uninvited = sum(one.collaborative and not one.readable for one in library.playlists)
    assert len(requests(world)) == (
        1 + 2 * _pages(len(library.listed_playlists)) + entries + uninvited + _pages(len(library.listed_saved_tracks))
    )


def test_empty_library_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = LibraryPlan(
        saved_tracks=0, playlists=0, saved_albums=0, plays_per_day=0, followed_artists=0, saved_shows=0,
        saved_episodes=0, other_saved=0, playlist_entries=0, oddities=False,
    )  # fmt: skip
    streams = tuple(name for name in EVERY_STREAM if name != "catalogue")
    with simulated(monkeypatch, plan, streams=streams) as world:
        manifest = world.run(streams=streams)
        assert manifest["status"] == "complete"
        assert {one["stream"]: one["status"] for one in manifest["units"] if one["status"] != "complete"} == {
            "playlist_items": "skipped"
        }
        assert {one["stream"] for one in manifest["units"] if one["read_records"]} <= {
            "profile", "top_tracks", "top_artists",
        }  # fmt: skip


def _pages(elements: int) -> int:
    return max(1, ceil(elements / 50))
