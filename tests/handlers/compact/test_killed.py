"""The run dies before or after any of its requests: no row is ever missing, and the next runs finish the work."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.handlers.compact.lake import DAY, HOUR, NOON, TRANSFORMED, TWIN, Lake
from tests.handlers.transform.stage import raw_line
from tests.thoroughness import sampled

TABLE = "plays"
START = NOON + timedelta(days=1)


class KilledError(BaseException):
    """The process is killed: nothing catches this."""


class Killing:
    """Kills at the nth request; a process that is dead makes no other."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int, *, after: bool) -> None:
        self._call: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]
        self._lock = threading.Lock()
        self.calls: list[str] = []
        self._at = at
        self._after = after

        def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
            return self.call(client, operation, arguments)

        patch.setattr(BaseClient, "_make_api_call", call)

    def call(self, client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        with self._lock:
            self.calls.append(operation)
            number = len(self.calls)
        if number < self._at or (number == self._at and self._after):
            answer = self._call(client, operation, arguments)
            if number < self._at:
                return answer
        raise KilledError


def prepare(lake: Lake) -> None:
    """A month with compacted rows of which some were replayed since, an original that waits, and a new day's."""
    lines: list[list[Any]] = [[play(hour, number) for number in range(3)] for hour in range(6)]
    keys = [lake.extract("recently_played", lines[hour], hour=hour) for hour in range(3)]
    lake.compact(NOON - 2 * HOUR)
    lake.compact(NOON)
    lake.extract("recently_played", lines[3], hour=3)
    lake.compact(START - HOUR / 2)
    lake.extract("recently_played", lines[1][:2], hour=1)
    assert lake.extract("recently_played", lines[4], day=DAY + timedelta(days=1), hour=4) not in keys


def play(hour: int, minute: int) -> dict[str, Any]:
    """A play at some minute of the day's hour."""
    item = {"type": "track", "id": f"t{hour}{minute}", "uri": f"spotify:track:t{hour}{minute}", "artists": []}
    return raw_line("recently_played", {"played_at": f"2026-11-23T{hour:02}:{minute:02}:00Z", "track": item})


def compact_twice(lake: Lake) -> None:
    """The run of a day, and what the next one deletes."""
    lake.compact(START, table=TABLE)
    lake.compact(START + HOUR, table=TABLE)


CALLS = 16
"""Requests of both."""
PURGE_CALLS = 9
"""Requests of a purge after the first of them."""


@pytest.mark.parametrize(
    ("at", "after"),
    sampled(((at, after) for at in range(1, CALLS + 1) for after in (False, True)), [(11, False), (11, True)]),
)
def test_the_next_runs_finish_the_work(lake: Lake, at: int, after: bool) -> None:
    prepare(lake)
    with pytest.MonkeyPatch.context() as patch:
        Killing(patch, at, after=after)
        with pytest.raises(KilledError):
            compact_twice(lake)

    assert not lake.rows(TABLE, TWIN) - lake.rows(TABLE)

    for hours in (2, 3, 4):
        lake.compact(START + hours * HOUR, table=TABLE)
    assert lake.partitions()["tables/plays/month=2026-11"] == 1
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.slow
def test_every_request_of_both_runs_is_killed_at(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(lake)
    killing = Killing(monkeypatch, 10_000, after=False)
    compact_twice(lake)
    assert len(killing.calls) == CALLS
    # The table's objects, the partition's record, its objects.
    look = ["ListObjectsV2", "GetObject", "ListObjectsV2"]
    assert killing.calls == [*look, *["GetObject"] * 3, *["PutObject"] * 2, *look, *["DeleteObject"] * 5]


PURGE = {"table": TABLE, "purge_before": "2026-11-23T02:00:00Z"}


def prepare_purge(lake: Lake) -> None:
    """Compacted rows, some of runs whose originals are deleted by now."""
    prepare(lake)
    lake.compact(START, table=TABLE)
    for bucket in (TRANSFORMED, TWIN):
        for key in lake.listed("tables/plays/", bucket):
            if "T000000Z" in key or "T010000Z" in key:
                lake.s3.delete_object(Bucket=bucket, Key=key)


@pytest.mark.slow
def test_every_request_of_a_purge_is_killed_at(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_purge(lake)
    killing = Killing(monkeypatch, 10_000, after=False)
    lake.compact(START + HOUR / 2, **PURGE)
    assert len(killing.calls) == PURGE_CALLS
    assert killing.calls.count("DeleteObject") == 3


@pytest.mark.parametrize(
    ("at", "after"), sampled([(at, after) for at in range(1, PURGE_CALLS + 1) for after in (False, True)], 0)
)
def test_a_purge_that_died_is_finished_by_the_next(lake: Lake, at: int, after: bool) -> None:
    prepare_purge(lake)
    with pytest.MonkeyPatch.context() as patch:
        Killing(patch, at, after=after)
        with pytest.raises(KilledError):
            lake.compact(START + HOUR / 2, **PURGE)
    assert not lake.rows(TABLE, TWIN) - lake.rows(TABLE)
    lake.compact(START + HOUR / 2, **PURGE)
    assert set(lake.rows(TABLE)) == set(lake.rows(TABLE, TWIN))
    for hours in (2, 3):
        lake.compact(START + hours * HOUR, table=TABLE)
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)
    assert len(lake.listed("tables/plays/")) == 1
