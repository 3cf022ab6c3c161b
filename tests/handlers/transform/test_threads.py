"""Work in threads comes in order, stays bounded, fails where it is asked for, and leaves no thread behind."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from handlers.layout import RawKey
from handlers.transform import blocks as blocks_module
from handlers.transform.raw_objects import transform_raw
from handlers.transform.table_files import TableFiles
from handlers.transform.threads import ahead, in_order
from tests.handlers.transform.stage import RUN, encode
from tests.handlers.transform.test_golden import fixture_lines

PATIENCE = 20


@pytest.fixture(autouse=True)
def no_thread_stays_behind() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def failing(items: int, error: Exception) -> Iterator[int]:
    yield from range(items)
    raise error


def test_items_come_in_order() -> None:
    assert list(ahead(range(50), most=3)) == list(range(50))
    assert list(in_order(str, range(50), threads=3)) == [str(number) for number in range(50)]
    assert list(ahead([], most=1)) == list(in_order(str, [], threads=2)) == []


def test_the_slow_do_not_fall_behind_the_quick() -> None:
    later = threading.Event()

    def made(number: int) -> int:
        if number:
            later.set()
        elif not later.wait(PATIENCE):
            raise TimeoutError("The second item did not run beside the first.")
        return number

    assert list(in_order(made, [0, 1], threads=2)) == [0, 1]


def test_items_are_taken_while_nobody_asks_but_no_more_than_may_wait() -> None:
    taken = [threading.Event() for _ in range(5)]

    def items() -> Iterator[int]:
        for number, event in enumerate(taken):
            event.set()
            yield number

    with closing(ahead(items(), most=2)) as parts:
        assert next(parts) == 0
        assert taken[2].wait(PATIENCE)
        assert not taken[3].is_set()


@pytest.mark.parametrize(
    ("threaded", "before"),
    [
        (lambda items: ahead(items, most=2), [0, 1, 2, 3]),
        (lambda items: in_order(lambda item: item, items, threads=2), [0, 1]),
        (lambda items: in_order(lambda item: item, ahead(items, most=1), threads=2), [0, 1]),
    ],
)
def test_what_fails_fails_where_it_is_asked_for(
    threaded: Callable[[Iterator[int]], Iterator[int]], before: list[int]
) -> None:
    seen: list[int] = []
    with pytest.raises(ConnectionError, match="cut"):
        seen.extend(threaded(failing(4, ConnectionError("cut"))))
    assert seen == before


def test_a_failure_at_work_ends_it_all() -> None:
    def made(number: int) -> int:
        if number == 3:
            raise ValueError("no row")
        return number

    def endless() -> Iterator[int]:
        number = 0
        while True:
            yield number
            number += 1

    seen: list[int] = []
    items = ahead(endless(), most=1)
    with pytest.raises(ValueError, match="no row"):
        seen.extend(in_order(made, items, threads=2))
    items.close()
    assert seen == [0, 1, 2]


@pytest.mark.parametrize("whole", [0, 3])
def test_a_source_that_fails_fails_the_object_and_hangs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    (line,) = fixture_lines("saved_tracks", "development")
    data = encode(line) + b"\n"
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", len(data) * 2)
    monkeypatch.setattr(blocks_module, "MAX_LINE_BYTES", len(data) * 2)

    def source() -> Iterator[bytes]:
        for _ in range(whole):
            yield gzip.compress(data * 8)
        raise ConnectionError("the line went dead")

    files = TableFiles(tmp_path, {"month": "2026-11", "year": "2026"})
    with pytest.raises(ConnectionError, match="went dead"):
        transform_raw(source(), RawKey("saved_tracks", RUN, 0), {}, files)


def test_what_cannot_be_stored_fails_the_object_and_hangs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (line,) = fixture_lines("saved_tracks", "development")
    data = encode(line) + b"\n"
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", len(data) * 2)
    monkeypatch.setattr(blocks_module, "MAX_LINE_BYTES", len(data) * 2)

    class FullDisk(TableFiles):
        def add(self, table: str, rows: object) -> None:  # noqa: ARG002 - it takes none
            raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        transform_raw([gzip.compress(data * 100)], RawKey("saved_tracks", RUN, 0), {}, FullDisk(tmp_path, {}))


@pytest.mark.slow
def test_blocks_side_by_side_give_the_same_bytes_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = fixture_lines("saved_tracks", "development")
    data = encode(line) + b"\n"
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", len(data) * 7)
    monkeypatch.setattr(blocks_module, "MAX_LINE_BYTES", len(data) * 7)
    bad = b'{"record": 5}\n'
    packed = gzip.compress((data * 6 + bad) * 8)

    def written(folder: Path, size: int) -> dict[tuple[str, str], bytes]:
        folder.mkdir()
        files = TableFiles(folder, {"month": "2026-11", "year": "2026"})
        pieces = (packed[at : at + size] for at in range(0, len(packed), size))
        counts = transform_raw(pieces, RawKey("saved_tracks", RUN, 0), {"lines": "56"}, files)
        assert (counts.lines, counts.rejected) == (56, 8)
        return {(file.table, file.partition): file.path.read_bytes() for file in files.finish()}

    first = written(tmp_path / "first", len(packed))
    assert {table for table, _ in first} >= {"saved_tracks", "tracks", "rejected_records"}
    assert written(tmp_path / "second", 50) == first
