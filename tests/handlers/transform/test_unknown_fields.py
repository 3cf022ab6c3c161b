"""A field that is new shows as drift, once a path, from a few lines of each block."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from handlers.transform.blocks import Block
from handlers.transform.documented import STREAM_FIELDS, Fields
from handlers.transform.drift import Drift
from handlers.transform.mapping import STREAM_MAPPINGS
from handlers.transform.schema import read_schema
from handlers.transform.unknown_fields import MAX_FIELDS, SAMPLE_BYTES, SAMPLE_LINES, note_unknown_fields
from tests.handlers.transform.stage import encode, raw_line
from tests.handlers.transform.test_golden import SHAPES, fixture_lines


def noted(stream: str, lines: list[Any], *, first_line: int = 1) -> Drift:
    drift = Drift()
    note_unknown_fields(Block(first_line, b"".join(encode(line) + b"\n" for line in lines)), stream, drift)
    return drift


def saved(**track: Any) -> dict[str, Any]:
    return raw_line("saved_tracks", {"added_at": "2026-07-01T12:00:00Z", "track": {"type": "track", **track}})


def test_an_unknown_field_is_one_finding_a_path_with_the_first_line_that_shows_it() -> None:
    artists = [{"id": "a", "verified": True}, None, {"id": "b", "verified": False}]
    lines = [saved(id="1"), saved(lyrics={"text": "la"}, artists=artists), saved(lyrics=None), saved(artists="none")]

    findings = noted("saved_tracks", lines, first_line=101).findings

    assert {path: (finding.found, finding.line, finding.count) for path, finding in findings.items()} == {
        "record.track.lyrics": ("an unknown field", 102, 2),
        "record.track.artists[].verified": ("an unknown field", 102, 2),
    }


@pytest.mark.parametrize(("stream", "shape"), SHAPES)
def test_no_documented_field_is_reported(stream: str, shape: str) -> None:
    lines = fixture_lines(stream, shape)
    assert noted(stream, lines).findings == {}
    for line in lines:
        line["record"]["new"] = 1
    assert noted(stream, lines).findings.keys() == {"record.*" if stream == "streaming_history" else "record.new"}


@pytest.mark.parametrize("stream", STREAM_MAPPINGS)
def test_what_a_column_reads_is_documented(stream: str) -> None:
    def check(type_: pa.DataType, known: Fields | None, path: str) -> None:
        if pa.types.is_list(type_):
            type_ = type_.value_type
        if pa.types.is_struct(type_):
            assert known is not None, path
            for member in type_:
                assert member.name in known, f"{path}.{member.name}"
                check(member.type, known[member.name], f"{path}.{member.name}")

    check(read_schema(stream).field("record").type, STREAM_FIELDS[stream], "record")


def test_unknown_fields_of_an_export_are_counted_without_their_names() -> None:
    good = raw_line("streaming_history", {"ts": "2026-07-01T12:00:00Z"})
    line = raw_line("streaming_history", {"ts": "2026-07-01T12:00:00Z", "ip_addr": "secret", "Ana's phone": "secret"})
    findings = noted("streaming_history", [good, line, line]).findings
    assert [(path, found.line, found.count) for path, found in findings.items()] == [("record.*", 2, 4)]
    assert not [word for word in ("secret", "Ana", "ip_addr") if word in repr(findings)]


DEEP = b'{"record": {"track": ' + b"[" * 900 + b"]" * 900 + b"}}"


@pytest.mark.parametrize(
    "line",
    [b"", b"no json", b"7", b"[]", b"null", b"\xff", b'{"record": null}', b'{"record": [7]}', b"[" * 10_000, DEEP],
)
def test_what_is_no_record_is_passed_over(line: bytes) -> None:
    assert noted("saved_tracks", [line, saved(new=1)]).findings.keys() == {"record.track.new"}


def test_of_many_lines_a_few_from_all_over_the_block_are_looked_at() -> None:
    lines = [saved(**{f"n{number}": 1}) for number in range(1_000)]
    found = [finding.line for finding in noted("saved_tracks", lines).findings.values()]
    assert len(found) == SAMPLE_LINES
    assert found == sorted(found)
    assert found[0] == 1
    assert found[-1] > 900


def test_of_long_lines_few_are_looked_at_and_none_twice() -> None:
    lines = [saved(**{f"n{number}": 1}, name="x" * SAMPLE_BYTES) for number in range(8)]
    assert [finding.count for finding in noted("saved_tracks", lines).findings.values()] == [1]
    uneven = [saved(new=1, name="x" * SAMPLE_BYTES), *(saved() for _ in range(1_000))]
    assert noted("saved_tracks", uneven).findings["record.track.new"].count == 1


def test_an_object_whose_names_are_ids_does_not_fill_the_log() -> None:
    names = {f"{number:04}{'x' * 200}": 1 for number in range(100)}
    drift = noted("saved_tracks", [saved(**names), saved(**names)])
    assert [finding.count for finding in drift.findings.values()] == [2] * MAX_FIELDS
    assert max(map(len, drift.findings)) < 100
    note_unknown_fields(Block(3, json.dumps(saved(other=1)).encode()), "saved_tracks", drift)
    assert len(drift.findings) == MAX_FIELDS
