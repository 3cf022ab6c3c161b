"""Whatever lies in the raw bucket: its reason is recorded, what can be read is kept, and memory is bounded."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.layout import RawKey
from handlers.transform import handler as handler_module
from handlers.transform.blocks import BLOCK_LINES, BLOCK_VALUES, MAX_LINE_BYTES
from handlers.transform.cut_off import MAX_BAD_LINES
from handlers.transform.rejections import MAX_LINE_CHARACTERS
from handlers.transform.tolerant import parse
from tests.handlers.transform.stage import RAW, RUN, FileStage, Stage, compressed, encode, raw_line
from tests.thoroughness import sampled

ROOT = Path(__file__).parents[3]
KEY = str(RawKey("saved_tracks", RUN, 0))


def saved(number: int = 0, **track: Any) -> dict[str, Any]:
    uri = f"spotify:track:{number}"
    return raw_line(
        "saved_tracks", {"added_at": "2026-07-01T12:00:00Z", "track": {"uri": uri, "type": "track", **track}}
    )


LINES = [encode(saved(number)) for number in range(400)]
CONTENT = b"".join(line + b"\n" for line in LINES)
WHOLE = gzip.compress(CONTENT, mtime=0)


def with_member(**fields: str) -> bytes:
    """A good line with more in its track, as it stands in the text."""
    text = "".join(f',"{name}":{value}' for name, value in fields.items())
    return encode(saved(7)).replace(b'"type":"track"', b'"type":"track"' + text.encode())


def outcome(stage: Stage, body: bytes, lines: int | None = None) -> tuple[int, list[tuple[int, str]]]:
    """How many rows an object becomes, and the line and reason of what is rejected."""
    stage.put(KEY, body, {} if lines is None else {"lines": str(lines)})
    made = stage.transformer.transform(KEY).outputs
    rejected = [(row["_line"], row["reason"]) for row in stage.rows("rejected_records")]
    assert made.rows.get("saved_tracks", 0) + made.rejected == made.lines
    assert made.rejected == sum(line > 0 for line, _ in rejected)
    assert stage.note(KEY)["rows"] == made.rows
    return made.rows.get("saved_tracks", 0), rejected


BODIES = [
    pytest.param(b"", None, 0, [(0, "empty")], id="no bytes"),
    pytest.param(gzip.compress(b""), None, 0, [], id="an empty gzip"),
    pytest.param(gzip.compress(b""), 3, 0, [(0, "truncated")], id="an empty gzip that should hold lines"),
    pytest.param(CONTENT, 400, 0, [(0, "not_gzip")], id="not compressed"),
    pytest.param(zlib.compress(CONTENT), 400, 0, [(0, "not_gzip")], id="another compression"),
    pytest.param(WHOLE[:-4], 400, 400, [(0, "truncated")], id="cut in the trailer"),
    pytest.param(WHOLE[:10], 400, 0, [(0, "truncated")], id="nothing but a header"),
    pytest.param(WHOLE, 401, 400, [(0, "truncated")], id="a line is missing"),
    pytest.param(WHOLE, 399, 400, [(0, "surplus")], id="a line too many"),
    pytest.param(WHOLE + WHOLE, 800, 800, [], id="two members"),
    pytest.param(WHOLE + bytes(100), 400, 400, [], id="padding"),
    pytest.param(WHOLE + b"garbage", 400, 400, [(0, "corrupt")], id="trailing garbage"),
    pytest.param(WHOLE + CONTENT, 400, 400, [(0, "corrupt")], id="trailing lines"),
    pytest.param(WHOLE[:-8] + b"\0" * 8, 400, 400, [(0, "corrupt")], id="a wrong checksum"),
    pytest.param(gzip.compress(b"\n" * 3), 3, 0, [(n, "not_json") for n in (1, 2, 3)], id="blank lines"),
    pytest.param(gzip.compress(CONTENT[:-1]), 400, 400, [], id="no newline at the end"),
    pytest.param(gzip.compress(b"\xef\xbb\xbf" + CONTENT), 400, 400, [], id="a byte order mark"),
    pytest.param(gzip.compress(CONTENT.replace(b"\n", b"\r\n")), 400, 400, [], id="CRLF"),
    pytest.param(gzip.compress(CONTENT.replace(b"\n", b"\r")), 400, 0, [(0, "truncated"), (1, "not_json")], id="CR"),
    pytest.param(
        gzip.compress(b"[" + CONTENT[:-1].replace(b"\n", b",\n") + b"]"),
        400,
        0,
        [(line, "not_json") for line in range(1, 401)],
        id="one JSON array over all lines",
    ),
]
TELLING_BODIES = {
    "no bytes",
    "not compressed",
    "cut in the trailer",
    "a line too many",
    "two members",
    "trailing garbage",
    "CRLF",
}


@pytest.mark.parametrize(
    ("body", "lines", "rows", "rejected"), sampled(BODIES, [body for body in BODIES if body.id in TELLING_BODIES])
)
def test_a_body_becomes_what_it_can(
    stage: Stage, body: bytes, lines: int | None, rows: int, rejected: list[tuple[int, str]]
) -> None:
    found, reasons = outcome(stage, body, lines)
    assert (found, sorted(reasons)) == (rows, rejected)


def test_of_a_gzip_cut_in_its_middle_all_whole_lines_are_kept(stage: Stage) -> None:
    rows, rejected = outcome(stage, WHOLE[: len(WHOLE) // 2], 400)
    assert 0 < rows < 400
    assert sorted(rejected) == [(0, "truncated"), (rows + 1, "not_json")]


@pytest.mark.parametrize(
    ("encoding", "reasons"),
    [
        ("latin-1", {"not_utf8"}),
        ("utf-16-le", {"not_json", "not_utf8"}),
        ("utf-16", {"not_json", "not_utf8"}),
        ("utf-32-be", {"not_json", "not_utf8"}),
    ],
)
def test_no_line_of_another_encoding_is_lost_or_guessed(stage: Stage, encoding: str, reasons: set[str]) -> None:
    content = b"".join(encode(saved(name="Ágætis byrjun")) + b"\n" for _ in range(5)).decode().encode(encoding)
    rows, rejected = outcome(stage, gzip.compress(content), 5)
    assert rows == 0
    assert {reason for line, reason in rejected if line} <= reasons
    assert len([line for line, _ in rejected if line]) == content.count(b"\n") + (not content.endswith(b"\n"))


DEEP = 200_000


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        pytest.param(with_member(new="[" * DEEP + "]" * DEEP), None, id="lists in a field that nobody reads"),
        pytest.param(
            with_member(new='{"":' * DEEP + "1" + "}" * DEEP), None, id="objects in a field that nobody reads"
        ),
        pytest.param(with_member(artists="[" * DEEP + "]" * DEEP), "too_deep", id="lists in a field that is read"),
        pytest.param(with_member(album='{"artists":' * DEEP + "1" + "}" * DEEP), "too_deep", id="objects in one"),
        pytest.param(with_member(new="[" * DEEP), "too_deep", id="lists that never end"),
        pytest.param(b'{"record":' * DEEP + b"1" + b"}" * DEEP, "too_deep", id="records in records"),
    ],
)
def test_nesting_breaks_nothing(file_stage: FileStage, line: bytes, reason: str | None) -> None:
    file_stage.transform("saved_tracks", [LINES[0], line, LINES[2]])
    rejected = [(row["_line"], row["reason"]) for row in file_stage.rows("rejected_records")]
    assert rejected == ([] if reason is None else [(2, reason)])
    assert [row["_line"] for row in file_stage.rows("saved_tracks")] == ([1, 2, 3] if reason is None else [1, 3])


@pytest.mark.parametrize(
    ("text", "value", "drift"),
    [
        ("NaN", None, True),
        ("Infinity", None, True),
        ("-Infinity", None, True),
        ("1e400", None, True),
        ("1e3", 1000, True),
        ("0.1", None, True),
        ("-0", 0, False),
        (str(2**63 - 1), 2**63 - 1, False),
        (str(2**63), None, True),
        (str(-(2**63)), -(2**63), False),
        ("1" * 100_000, None, True),
        ("1." + "1" * 100_000, None, True),
        ("1e" + "9" * 100_000, None, True),
        ("null", None, False),
        ('"5"', None, True),
    ],
)
def test_odd_numbers_are_null_and_drift_or_what_they_say(
    file_stage: FileStage, text: str, value: int | None, drift: bool
) -> None:
    result = file_stage.transform("saved_tracks", [LINES[0], with_member(duration_ms=text)])
    assert [row["duration_ms"] for row in file_stage.rows("saved_tracks")] == [None, value]
    assert ("record.track.duration_ms" in result.drift.findings) == drift
    assert file_stage.rows("rejected_records") == []


@pytest.mark.parametrize(
    ("line", "title", "drift"),
    [
        pytest.param(with_member(name='"first"', **{"name ": "1"}), "first", False, id="a like name"),
        pytest.param(with_member(name='"first","name":"last"'), "last", True, id="a name twice"),
        pytest.param(with_member(name=r'"half \ud83c"'), "half \ufffd", True, id="half a surrogate pair"),
        pytest.param(with_member(name=r'"whole \ud83c\udfb5"'), "whole 🎵", False, id="a whole surrogate pair"),
        pytest.param(with_member(name=r'"nul \u0000 nul"'), "nul \0 nul", False, id="a NUL character"),
        pytest.param(with_member(name=r'"line \n end"'), "line \n end", False, id="a newline character"),
        pytest.param(with_member(name='"\u2028\u0085\u202e"'), "\u2028\u0085\u202e", False, id="other line ends"),
        pytest.param(with_member(name='"' + "x" * 1_000_000 + '"'), "x" * 1_000_000, False, id="a very long title"),
    ],
)
def test_odd_texts_are_kept(file_stage: FileStage, line: bytes, title: str, drift: bool) -> None:
    result = file_stage.transform("saved_tracks", [LINES[0], line])
    assert [row["track_name"] for row in file_stage.rows("saved_tracks")] == [None, title]
    assert ("record.track.name" in result.drift.findings) == drift


def test_half_a_surrogate_pair_in_the_time_of_a_rejected_line_stops_nothing(file_stage: FileStage) -> None:
    line = rb'{"extracted_at":"\ud800","record":{}}'
    file_stage.transform("saved_tracks", [LINES[0], line, LINES[2]])
    (rejected,) = file_stage.rows("rejected_records")
    assert (rejected["_line"], rejected["reason"], rejected["_extracted_at"]) == (2, "missing_key", None)
    assert [row["_line"] for row in file_stage.rows("saved_tracks")] == [1, 3]


@pytest.mark.slow
def test_an_object_of_very_many_names_takes_no_longer_for_one_that_it_repeats() -> None:
    names = 150_000
    line = b"{" + b",".join(b'"%d":0' % number for number in range(names)) + b',"7":1}'
    start = time.process_time()
    parsed = parse(line)
    assert time.process_time() - start < 20
    assert (len(parsed), parsed.repeated) == (names, {"7"})


@pytest.mark.parametrize(
    "line",
    sampled([b"\0" * 100, with_member(name='"raw \0 nul"'), b"\0", b'{"record"\0:{}}', b"\x1b[2J"], 2),
)
def test_control_bytes_are_no_json(file_stage: FileStage, line: bytes) -> None:
    file_stage.transform("saved_tracks", [LINES[0], line, LINES[2]])
    (rejected,) = file_stage.rows("rejected_records")
    assert (rejected["_line"], rejected["reason"]) == (2, "not_json")
    assert rejected["line"] == line.decode()


@pytest.mark.slow
def test_a_line_of_many_blocks_is_one_rejection_and_the_rest_is_kept(file_stage: FileStage) -> None:
    long = with_member(name='"' + "x" * (5 * MAX_LINE_BYTES) + '"')
    result = file_stage.transform("saved_tracks", [LINES[0], long, LINES[2]])
    (rejected,) = file_stage.rows("rejected_records")
    assert (rejected["_line"], rejected["reason"]) == (2, "too_long")
    assert rejected["detail"] == f"The line has {len(long)} bytes."
    assert rejected["line"] == long[:MAX_LINE_CHARACTERS].decode()
    assert [row["_line"] for row in file_stage.rows("saved_tracks")] == [1, 3]
    assert result.outputs.lines == 3


def test_a_line_of_more_values_than_memory_allows_is_as_good_as_too_long(file_stage: FileStage) -> None:
    many = with_member(artists="[" + "{}," * BLOCK_VALUES + "{}]")
    assert len(many) < MAX_LINE_BYTES
    file_stage.transform("saved_tracks", [LINES[0], many, LINES[2]])
    assert [(row["_line"], row["reason"]) for row in file_stage.rows("rejected_records")] == [(2, "too_long")]
    assert [row["_line"] for row in file_stage.rows("saved_tracks")] == [1, 3]


def test_bad_objects_are_recorded_and_neither_fail_their_message_nor_another(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = {
        str(RawKey("saved_tracks", RUN, 1)): b"",
        str(RawKey("saved_tracks", RUN, 2)): WHOLE[: len(WHOLE) // 2],
        str(RawKey("saved_tracks", RUN, 3)): b"\xff" * 1000,
        str(RawKey("saved_tracks", RUN, 4)): compressed([b"[" * 100_000]),
        "raw/saved_tracks/somebody's file.jsonl.gz": b"?",
        f"raw/another_stream/dt=2026-11-23/{RUN}-00000.jsonl.gz": WHOLE,
        "runs/dt=2026-11-23/notes.json": b"{",
        KEY: WHOLE,
    }
    records = []
    for number, (key, body) in enumerate(bodies.items()):
        stage.put(key, body)
        s3 = {"bucket": {"name": RAW}, "object": {"key": key.replace("'", "%27").replace(" ", "+")}}
        message = json.dumps({"Records": [{"eventName": "ObjectCreated:Put", "s3": s3}]})
        records.append({"messageId": str(number), "eventSource": "aws:sqs", "body": message})
    monkeypatch.setattr(handler_module, "_transformer", lambda: stage.transformer)
    context: Any = SimpleNamespace(
        function_name="transform",
        memory_limit_in_mb=1024,
        invoked_function_arn="arn:…",
        aws_request_id="1",
        get_remaining_time_in_millis=lambda: 300_000,
    )

    answer: Any = handler_module.handler({"Records": records}, context)

    assert answer == {"batchItemFailures": []}
    assert {row["_raw_key"] for row in stage.rows("rejected_records")} == bodies.keys() - {KEY}
    assert {row["_raw_key"] for row in stage.rows("saved_tracks")} == {KEY, str(RawKey("saved_tracks", RUN, 2))}


CUT_OFF = -1
"""As many lines as are read of an object whose lines are all bad."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "counted", "most_mb"),
    [
        ("a gigabyte of good lines", (420_000, 0, 420_000), 350),
        ("a line of 200 MB", (3, 1, 2), 200),
        ("a bomb of zeros", (1, 1, 0), 200),
        ("gigabytes of blank lines", (CUT_OFF, CUT_OFF, 0), 250),
        ("millions of empty objects", (CUT_OFF, CUT_OFF, 0), 250),
        ("millions of lines of another type", (CUT_OFF, CUT_OFF, 0), 300),
        ("plays of 20,000 months", (0, 0, 0), 250),
        ("plays of 600 months", (393_120, 0, 393_120), 600),
        ("a type changed in every line", (20_000, 0, 20_000), 250),
        ("a bomb of members", (0, 0, 0), 200),
        ("albums of nothing but tracks", (10, 0, 10), 512),
        ("short lines of nothing but artists", (3_600, 0, 3_600), 512),
    ],
)
def test_memory_stays_bounded(case: str, counted: tuple[int, int, int], most_mb: int) -> None:
    command = [sys.executable, "-m", "tests.handlers.transform.huge_objects", case]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *found, peak_mb = map(int, done.stdout.split())
    if counted[0] == CUT_OFF:
        assert MAX_BAD_LINES < found[0] <= MAX_BAD_LINES + BLOCK_LINES
        assert found == [found[0], found[0], 0]
    else:
        assert tuple(found) == counted
    assert peak_mb < most_mb
