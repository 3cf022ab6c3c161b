"""Valid records, random ones too: each is a row whose values come back as sent, whoever reads the Parquet files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.layout import RawKey
from handlers.streams import STREAMS
from handlers.tables import TABLES
from handlers.transform.mapping import STREAM_MAPPINGS
from handlers.transform.raw_objects import transform_raw
from handlers.transform.schema import read_schema
from handlers.transform.table_files import TableFiles
from handlers.transform.tolerant import places_of
from tests.handlers.transform.stage import RUN, FileStage, compressed, metadata_of
from tests.handlers.transform.test_golden import SHAPES, TELLING_SHAPES, fixture_lines, shapes_of
from tests.thoroughness import sampled

TELLING_STREAMS = [stream for stream, _ in TELLING_SHAPES]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGERS = st.one_of(st.integers(0, 1000), st.integers(-(2**31), 2**31 - 1))


def values(type_: pa.DataType) -> st.SearchStrategy[Any]:
    """Whatever JSON value an Arrow type is read from; of objects any fields may be missing or null."""
    if pa.types.is_struct(type_):
        members = {member.name: st.none() | values(member.type) for member in type_}
        return st.fixed_dictionaries({}, optional=members)
    if pa.types.is_list(type_):
        return st.lists(values(type_.value_type), max_size=3)
    if pa.types.is_boolean(type_):
        return st.booleans()
    return INTEGERS if pa.types.is_integer(type_) else TEXTS


@st.composite
def valid_line(draw: st.DrawFn, stream: str, grain_from: list[dict[str, Any]]) -> dict[str, Any]:
    """A line of random fields whose grain is that of a fixture's line."""
    schema = read_schema(stream)
    sent = draw(st.sampled_from(grain_from))
    record = draw(values(schema.field("record").type))
    line: dict[str, Any] = {**sent, "context": dict(sent["context"]), "record": record}
    for column in TABLES[STREAMS[stream].table].grain:
        for place in places_of(column, STREAM_MAPPINGS[stream]):
            value = at(sent, place)
            if value is None:
                uproot(line, place)
            else:
                plant(line, place, value)
    return line


def at(value: Any, path: str) -> Any:
    """What stands at a path; None where nothing does."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def plant(line: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        if not isinstance(line.get(name), dict):
            line[name] = {}
        line = line[name]
    line[last] = value


def uproot(line: dict[str, Any], path: str) -> None:
    parents, _, last = path.rpartition(".")
    parent = at(line, parents) if parents else line
    if isinstance(parent, dict):
        parent.pop(last, None)


def sent_as(stream: str, line: dict[str, Any], path: str) -> Any:
    """What a path of a mapping finds in a line."""
    places = STREAM_MAPPINGS[stream].item
    if path.startswith("item.") and places:
        item = next((found for place in places if (found := at(line, place)) is not None), None)
        return at(item, path.removeprefix("item."))
    return at(line, path)


def hold(stream: str, lines: list[dict[str, Any]]) -> None:
    """Each line is a row, and what a column takes from one path is what stood there."""
    mapping, table = STREAM_MAPPINGS[stream], TABLES[STREAMS[stream].table]
    plain = {
        column.name: path
        for column in table.columns
        if isinstance(path := mapping.columns.get(column.name), str) and column.type != "timestamp" and "[" not in path
    }
    with tempfile.TemporaryDirectory() as folder:
        stage = FileStage(Path(folder))
        result = stage.transform(stream, lines)
        assert result.outputs.rejected == 0
        rows = sorted(stage.rows(table.name), key=lambda row: row["_line"])
    assert [row["_line"] for row in rows] == list(range(1, len(lines) + 1))
    for row, line in zip(rows, lines, strict=True):
        assert {name: row[name] for name in plain} == {
            name: sent_as(stream, line, path) for name, path in plain.items()
        }


def run(stream: str, shape: str, *, examples: int) -> None:
    grain_from = fixture_lines(stream, shape)

    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    @given(lines=st.lists(valid_line(stream, grain_from), min_size=1, max_size=8))
    def held(lines: list[dict[str, Any]]) -> None:
        hold(stream, lines)

    held()


@pytest.mark.parametrize("stream", sampled(STREAM_MAPPINGS, TELLING_STREAMS[:2]))
def test_a_valid_line_is_a_row_that_says_what_was_sent(stream: str) -> None:
    run(stream, shapes_of(stream)[0], examples=2)


@pytest.mark.slow
@pytest.mark.parametrize(("stream", "shape"), SHAPES)
def test_valid_lines_are_rows_in_every_shape(stream: str, shape: str) -> None:
    run(stream, shape, examples=60)


def written(folder: Path, stream: str, lines: list[dict[str, Any]], part: int) -> dict[str, list[Path]]:
    """The Parquet files of an object, by table."""
    folder.mkdir()
    files = TableFiles(folder, {"month": "2026-11", "year": "2026"})
    transform_raw([compressed(lines)], RawKey(stream, RUN, part), metadata_of(lines), files)
    found: dict[str, list[Path]] = {}
    for file in files.finish():
        found.setdefault(file.table, []).append(file.path)
    return found


def evolved(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same lines as Spotify might send them another year: every object has new fields and has lost an old one."""

    def changed(value: Any, depth: int) -> Any:
        if isinstance(value, list):
            return [changed(element, depth) for element in value]
        if not isinstance(value, dict):
            return value
        kept = {name: changed(inner, depth + 1) for name, inner in value.items() if depth == 0 or name != "name"}
        return {"fresh": {"deep": [1, "two", None]}, **kept, "another": 1.5}

    return [{**line, "record": changed(line["record"], 0)} for line in lines]


@pytest.mark.parametrize(("stream", "shape"), sampled(SHAPES, TELLING_SHAPES[2:3]))
def test_a_table_goes_on_when_records_evolve(file_stage: FileStage, stream: str, shape: str) -> None:
    lines = fixture_lines(stream, shape)
    table = STREAMS[stream].table
    file_stage.transform(stream, lines)
    before = file_stage.rows(table)

    result = file_stage.transform(stream, evolved(lines))

    after = file_stage.rows(table)
    assert result.outputs.rejected == 0
    assert ("record.*" if stream == "streaming_history" else "record.fresh") in result.drift.findings
    assert {path.rpartition(".")[2] for path in result.drift.findings} <= {"fresh", "another", "*"}
    for old, new in zip(before, after, strict=True):
        assert old.keys() == new.keys()
        assert {name for name in old if old[name] != new[name]} <= {name for name in old if name.endswith("name")}
    file_stage.transform(stream, lines)
    assert file_stage.rows(table) == before


@pytest.mark.parametrize("stream", sampled(STREAM_MAPPINGS, TELLING_STREAMS[:1]))
@pytest.mark.parametrize("reader", sampled(("duckdb", "polars")))
def test_every_reader_sees_the_same_tables(tmp_path: Path, stream: str, reader: str) -> None:
    lines = fixture_lines(stream, shapes_of(stream)[-1])
    first = written(tmp_path / "first", stream, lines, 0)
    second = written(tmp_path / "second", stream, evolved(lines), 1)
    assert STREAMS[stream].table in first
    for table in first.keys() | second.keys():
        files = [*first.get(table, []), *second.get(table, [])]
        expected = [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]
        assert READERS[reader](files) == expected, table


def by_polars(files: list[Path]) -> list[dict[str, Any]]:
    """The rows of several files, read as one table."""
    import polars as pl  # noqa: PLC0415 - it takes a second to import

    return pl.scan_parquet(files).collect().to_dicts()


def by_duckdb(files: list[Path]) -> list[dict[str, Any]]:
    """The rows of several files, read as one table."""
    with duckdb.connect() as connection:
        names = ", ".join(f"'{file}'" for file in files)
        cursor = connection.execute(f"FROM read_parquet([{names}])")
        columns = [name for name, *_ in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


READERS = {"duckdb": by_duckdb, "polars": by_polars}
