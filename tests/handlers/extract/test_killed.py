"""The function killed before and after every write to S3: the next run restores the model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from handlers.raw import objects
from spotify_simulator import LibraryPlan
from tests.handlers.extract.simulated import START, World, simulated

DAY = timedelta(days=1)
STREAMS = (
    "profile", "recently_played", "playlists", "playlist_items", "saved_tracks", "followed_artists", "top_tracks",
)  # fmt: skip
PLAN = LibraryPlan(
    saved_tracks=130, playlists=4, saved_albums=0, plays_per_day=30, followed_artists=10, saved_shows=0,
    saved_episodes=0, playlist_entries=70,
)  # fmt: skip


WRITES = 76
"""To S3 on the first two days: parts, state and manifests."""


class KilledError(BaseException):
    """The process is killed: nothing catches this."""


class Killing:
    """Kills at the nth write."""

    def __init__(self, world: World, patch: pytest.MonkeyPatch) -> None:
        self._put = world.s3.put_object
        self.writes = 0
        self.at: int | None = None
        self.after = False
        patch.setattr(world.s3, "put_object", self.put)

    def put(self, **arguments: Any) -> Any:
        self.writes += 1
        if self.writes != self.at:
            return self._put(**arguments)
        if self.after:
            self._put(**arguments)
        raise KilledError


@pytest.fixture(name="world")
def fixture_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    # Several parts, to have writes in the middle of reads.
    monkeypatch.setattr(objects, "PART_BYTES", 60_000)
    with simulated(monkeypatch, PLAN, streams=STREAMS) as world:
        yield world


# The first day writes everything, the second what has changed.
@pytest.mark.parametrize(
    ("write", "after"),
    [
        # The fast tests kill once, on the second day, when there is an earlier state to lose.
        pytest.param(
            write,
            after,
            id=f"{write}-{'after' if after else 'before'}",
            marks=[pytest.mark.slow] * ((write, after) != (59, False)),
        )
        for write in range(1, WRITES + 1)
        for after in (False, True)
    ],
)
def test_next_run_restores_the_model(world: World, monkeypatch: pytest.MonkeyPatch, write: int, after: bool) -> None:
    killing = Killing(world, monkeypatch)
    killing.at, killing.after = write, after
    days = iter([START, START + DAY])
    with pytest.raises(KilledError):
        run_each(world, days)
    killing.at = None
    at = next(days, START + 2 * DAY)
    assert world.run(at, STREAMS)["status"] == "complete"
    found, expected = world.current(), world.expected(at)
    # Removed items remain until the next full read.
    assert set(found.pop(("saved_tracks", ""))) >= set(expected["saved_tracks", ""])
    assert found == {unit: rows for unit, rows in expected.items() if unit in found}
    assert {stream for stream, _ in found} == set(STREAMS) - {"saved_tracks", "recently_played"}
    assert set(world.plays()) >= set(world.recent(at))


def run_each(world: World, days: Iterator[datetime]) -> None:
    for day in days:
        world.run(day, STREAMS)


@pytest.mark.slow
def test_every_write_of_the_first_two_days_is_killed_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    killing = Killing(world, monkeypatch)
    world.run(START, STREAMS)
    world.run(START + DAY, STREAMS)
    assert killing.writes == WRITES
