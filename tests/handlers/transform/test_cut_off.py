"""An object that holds more than can be read is cut off with one rejection: its message never comes again."""

from __future__ import annotations

import gzip
import itertools
import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from handlers.layout import RawKey, raw_metadata
from handlers.raw.objects import PART_BYTES
from handlers.streams import STREAMS
from handlers.transform import blocks as blocks_module
from handlers.transform import cut_off, table_files, tolerant
from handlers.transform import reading as reading_module
from handlers.transform.blocks import Block
from handlers.transform.drift import Drift
from handlers.transform.raw_objects import Counts, transform_raw
from handlers.transform.table_files import TableFiles
from tests.handlers.transform.stage import ACCOUNT, READ, RUN, Stage, compressed, encode, raw_line
from tests.thoroughness import sampled

GOOD = encode(raw_line("saved_tracks", {"added_at": "2026-07-01T12:00:00Z", "track": {"uri": "u", "type": "track"}}))
REPAIRED = GOOD.replace(b'"u"', b'"u","name":7')
WITHOUT_GRAIN = GOOD.replace(b"added_at", b"added")
BLOCK_LINES = 64
LIMIT = 1_000


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits and the blocks a hundredth as large."""
    monkeypatch.setattr(cut_off, "MAX_BAD_LINES", LIMIT)
    monkeypatch.setattr(blocks_module, "BLOCK_LINES", BLOCK_LINES)
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", BLOCK_LINES * 300)


class Read:
    """One object transformed, and what it became."""

    def __init__(
        self, folder: Path, stream: str, pieces: Iterable[bytes], out_of_time: Callable[[], bool] = cut_off.never
    ) -> None:
        files = TableFiles(folder, {"month": "2026-11", "year": "2026"})
        metadata = raw_metadata(READ, ACCOUNT, 10**9)
        self.counts: Counts = transform_raw(pieces, RawKey(stream, RUN, 0), metadata, files, out_of_time)
        tables: dict[str, list[dict[str, Any]]] = {}
        for file in files.finish():
            tables.setdefault(file.table, []).extend(pq.ParquetFile(file.path).read().to_pylist())
        self.rows = tables.get(STREAMS[stream].table, [])
        rejected = tables.get("rejected_records", [])
        self.rejected = [row for row in rejected if row["_line"]]
        self.problems = [(row["reason"], row["detail"]) for row in rejected if not row["_line"]]


def without_end(content: bytes) -> Iterator[bytes]:
    return itertools.repeat(gzip.compress(content, 1))


def check_cut_off(read: Read, reason: str) -> None:
    """One rejection of the object, and every line before the cut a row or a rejection of its own."""
    ((found, detail),) = read.problems
    assert found == reason
    assert detail.endswith(f" Nothing after line {read.counts.lines} was read.")
    lines = [row["_line"] for row in (*read.rows, *read.rejected)]
    assert sorted(lines) == list(range(1, read.counts.lines + 1))
    assert read.counts.rejected == len(read.rejected)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("line", "rows"),
    sampled(
        [(b"", False), (b"x", False), (b"{}", False), (b"{bad}", False), (WITHOUT_GRAIN, False), (REPAIRED, True)],
        [(WITHOUT_GRAIN, False), (REPAIRED, True)],
    ),
)
def test_bad_lines_without_end_are_cut_off(tmp_path: Path, line: bytes, rows: bool) -> None:
    read = Read(tmp_path, "saved_tracks", without_end((line + b"\n") * 500))

    check_cut_off(read, "too_many_bad_lines")
    assert LIMIT < read.counts.lines <= LIMIT + BLOCK_LINES * 8
    assert bool(read.rows) == rows


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_good_lines_before_and_between_the_bad_ones_are_kept(tmp_path: Path) -> None:
    before = gzip.compress((GOOD + b"\n") * 1_500)
    mixed = without_end(b"".join([GOOD + b"\n", b"\n"]) * 250)

    read = Read(tmp_path, "saved_tracks", itertools.chain([before], mixed))

    check_cut_off(read, "too_many_bad_lines")
    assert len(read.rows) > 1_500 + LIMIT // 2


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_no_more_lines_are_read_one_by_one_than_the_limit_and_the_blocks_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_lines = []
    parse = tolerant.parse

    def noted(line: bytes) -> Any:
        read_lines.append(line)
        return parse(line)

    monkeypatch.setattr(tolerant, "parse", noted)

    Read(tmp_path, "saved_tracks", without_end((REPAIRED + b"\n") * 500))

    assert len(read_lines) < LIMIT + 32 * BLOCK_LINES


def test_as_many_bad_lines_as_an_object_of_this_project_may_hold_are_read() -> None:
    smallest = {"endTime": "2024-05-03 12:00", "artistName": "", "trackName": "", "msPlayed": 0}
    line = encode(raw_line("streaming_history", smallest, account_id="a", request={"path": "", "params": {}}))
    assert len(line) > PART_BYTES / cut_off.MAX_BAD_LINES


@pytest.mark.parametrize(
    "content",
    sampled([pytest.param(it, id=it[:1].hex()) for it in (b"x" * 2**20, GOOD + b"\n", b"", b"\n", bytes(2**20))], 2),
)
def test_content_without_end_is_cut_off_when_time_is_over(tmp_path: Path, content: bytes) -> None:
    calls = itertools.count()

    read = Read(tmp_path, "saved_tracks", without_end(content), lambda: next(calls) >= 100)

    check_cut_off(read, "too_slow")
    assert next(calls) < 200


def test_plays_of_too_many_months_are_cut_off_before_the_block_that_brings_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_off, "MAX_MONTHS", 24)
    monkeypatch.setattr(blocks_module, "BLOCK_LINES", 10)
    months = [f"{year}-{month:02}" for year in range(1990, 2020) for month in range(1, 13)]
    lines = [raw_line("streaming_history", {"ts": f"{month}-15T12:00:00Z"}) for month in months]

    read = Read(tmp_path, "streaming_history", [compressed(lines)])

    check_cut_off(read, "too_many_months")
    assert 0 < read.counts.lines == len(read.rows) <= 24
    assert len([*tmp_path.glob("*.parquet")]) == read.counts.lines + 1


@pytest.mark.slow
def test_plays_of_as_many_months_as_may_be_are_all_rows_and_little_waits_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "_WAITING_BYTES", 40 * table_files._PIECE_BYTES)
    monkeypatch.setattr(blocks_module, "BLOCK_LINES", 10)
    waiting = []
    bound = TableFiles._bound_waiting

    def noted(files: TableFiles, table: str) -> None:
        bound(files, table)
        waiting.append(sum(len(file.waiting) for file in files._open.values()))

    monkeypatch.setattr(TableFiles, "_bound_waiting", noted)
    times = [f"{2000 + number % 30}-{1 + number % 12:02}-15T12:00:00Z" for number in range(240)]

    read = Read(tmp_path, "streaming_history", [compressed(raw_line("streaming_history", {"ts": ts}) for ts in times)])

    assert sorted(row["_line"] for row in read.rows) == list(range(1, 241))
    assert {f"{row['played_at']:%Y-%m-%dT%XZ}" for row in read.rows} == set(times)
    assert max(waiting) <= 40


@pytest.mark.slow
def test_tables_larger_than_the_disk_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut_off, "MAX_FILE_BYTES", 200_000)
    monkeypatch.setattr(table_files, "_ROW_GROUP_BYTES", 50_000)
    dice = random.Random(1)  # noqa: S311 - no secret: bytes that hardly compress, the same each time

    def pieces() -> Iterator[bytes]:
        while True:
            name = dice.randbytes(200).hex().encode()
            yield gzip.compress((GOOD.replace(b'"u"', b'"u","name":"%s"' % name) + b"\n") * 100)

    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 100_000)
    read = Read(tmp_path, "saved_tracks", pieces())

    check_cut_off(read, "too_large")
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 400_000


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_an_object_that_is_cut_off_gives_the_same_again_and_its_note_says_what_was_read(stage: Stage) -> None:
    key = stage.put_lines("saved_tracks", [GOOD, *[b"no json"] * 5_000, GOOD])

    made = stage.transformer.transform(key).outputs
    once = stage.everything()
    stage.transformer.transform(key)

    assert stage.everything() == once
    assert [row["reason"] for row in stage.rows("rejected_records") if not row["_line"]] == ["too_many_bad_lines"]
    assert made.lines == made.rejected + made.rows["saved_tracks"] < 5_002
    assert json.loads(json.dumps(stage.note(key)))["lines"] == made.lines


@pytest.mark.slow
def test_arrow_is_not_asked_of_every_few_lines_where_all_are_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    read_whole = reading_module.read_whole

    def noted(block: Block, schema: Any) -> Any:
        asked.append(block.lines)
        return read_whole(block, schema)

    monkeypatch.setattr(reading_module, "read_whole", noted)
    lines = [REPAIRED] * 4_096 + [GOOD] * 4_096

    reading = reading_module.read_block(Block(1, b"\n".join(lines)), "saved_tracks", Drift())

    assert reading.line_numbers().to_pylist() == list(range(1, 8_193))
    assert 4_096 <= reading.bad_lines <= 4_096 + 256
    assert len(asked) < 4_096 / 60
