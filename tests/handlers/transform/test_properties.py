"""Whatever stands on the lines, each becomes exactly one row of its stream's table or one rejected record."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.streams import STREAMS
from handlers.tables import TABLES
from handlers.transform.rejections import RejectedLineError
from handlers.transform.tolerant import parse
from tests.handlers.transform.stage import FileStage, encode
from tests.handlers.transform.test_golden import SHAPES, TELLING_SHAPES, fixture_lines
from tests.thoroughness import examples, sampled

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.builds(list),
    st.builds(dict),
    st.builds(lambda: [None]),
    st.builds(lambda: [{}]),
    st.sampled_from(["1970-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59.999Z", "0000", ""]),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a JSON value, but for the whole."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if path else []
    for name, child in inner:
        found += places(child, (*path, name))
    return found


@st.composite
def mutated(draw: st.DrawFn, lines: list[dict[str, Any]]) -> bytes:
    """A line of a fixture in which some values are others, or missing; or bytes that were changed or cut."""
    line: dict[str, Any] = json.loads(json.dumps(draw(st.sampled_from(lines))))
    for _ in range(draw(st.integers(0, 3))):
        *parents, last = draw(st.sampled_from(places(line)))
        holder: Any = line
        for name in parents:
            holder = holder[name]
        if draw(st.booleans()) and isinstance(holder, dict):
            del holder[last]
        else:
            holder[last] = draw(VALUES)
        if not places(line):
            break
    data = encode(line)
    how = draw(st.sampled_from(["whole", "whole", "whole", "whole", "whole", "cut", "byte", "twice"]))
    at = draw(st.integers(0, len(data)))
    if how == "cut":
        data = data[:at]
    elif how == "byte":
        data = data[:at] + bytes([draw(st.integers(0, 255).filter(lambda byte: byte != 10))]) + data[at + 1 :]
    elif how == "twice":
        data += data
    return data


def check(stream: str, lines: list[bytes]) -> None:
    """Transform lines and hold the result against what must be true of any."""
    table = STREAMS[stream].table
    with tempfile.TemporaryDirectory() as folder:
        stage = FileStage(Path(folder))
        result = stage.transform(stream, lines)
        rows, rejected = stage.rows(table), stage.rows("rejected_records")
        if table != "plays":  # these are by month
            assert [row["_line"] for row in rows] == sorted(row["_line"] for row in rows)
        assert sorted(row["_line"] for row in [*rows, *rejected]) == list(range(1, len(lines) + 1))
        assert (result.outputs.lines, result.outputs.rejected) == (len(lines), len(rejected))
        for name in result.outputs.rows:
            for row in stage.rows(name):
                assert all(row[column] is not None for column in TABLES[name].grain)
        for row in rejected:
            assert row["reason"]
            assert row["detail"]
        for row in rows:
            assert json_or_none(lines[row["_line"] - 1])["record"] is not None
        for number, line in enumerate(lines, start=1):
            if not isinstance(json_or_none(line), dict):
                assert number not in {row["_line"] for row in rows}
        alone = dict(enumerate(lines, start=1))
        for row in rows[:2]:
            # A line becomes the same, whatever stands beside it.
            stage.transform(stream, [alone[row["_line"]]])
            assert [{**other, "_line": row["_line"]} for other in stage.rows(table)] == [row]


def json_or_none(line: bytes) -> Any:
    """A line's value; None where it has none."""
    try:
        return parse(line)
    except RejectedLineError:
        return None


@pytest.mark.parametrize(("stream", "shape"), sampled(SHAPES, TELLING_SHAPES[2:5:2]))
def test_lines_in_are_rows_and_rejected_records_out(stream: str, shape: str) -> None:
    fuzz(stream, shape, count=3, lines=(1, 6))


@pytest.mark.slow
@pytest.mark.parametrize(("stream", "shape"), SHAPES)
def test_ten_thousand_mutated_lines_lose_nothing(stream: str, shape: str) -> None:
    fuzz(stream, shape, count=45, lines=(10, 25))


def fuzz(stream: str, shape: str, *, count: int, lines: tuple[int, int]) -> None:
    strategy = st.lists(mutated(fixture_lines(stream, shape)), min_size=lines[0], max_size=lines[1])

    @settings(max_examples=count, suppress_health_check=list(HealthCheck))
    @given(drawn=strategy)
    def run(drawn: list[bytes]) -> None:
        check(stream, drawn)

    run()


@given(bad=st.sets(st.integers(0, 199), max_size=40))
@settings(max_examples=examples(6, 2))
def test_splitting_finds_exactly_the_bad_lines(bad: set[int]) -> None:
    (line,) = fixture_lines("saved_tracks", "development")
    lines = [b'{"record": 5}' if number in bad else encode(line) for number in range(200)]
    with tempfile.TemporaryDirectory() as folder:
        stage = FileStage(Path(folder))
        stage.transform("saved_tracks", lines)
        assert {row["_line"] - 1 for row in stage.rows("rejected_records")} == bad
        assert [row["_line"] - 1 for row in stage.rows("saved_tracks")] == [n for n in range(200) if n not in bad]
