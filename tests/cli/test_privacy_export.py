"""Reading plays from intact and broken files."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli import privacy_export
from cli.diagnosis import Problem
from cli.export_files import ExportFile, HashedFile, hash_file
from cli.json_elements import MAX_DEPTH
from cli.privacy_export import FileReading
from tests.cli.privacy_exports import (
    PERSONAL,
    account_data_play,
    audio_file,
    endsong_file,
    plays,
    sent,
    video_file,
    written,
)

NOT_JSON = "the file stops at element 2, where it is not valid JSON"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def reading(path: Path) -> FileReading:
    return FileReading(hash_file(ExportFile(path), lambda _: None), lambda _: None, now=NOW)


def read(path: Path) -> tuple[list[dict[str, Any]], FileReading]:
    one = reading(path)
    return list(one.records()), one


def read_bytes(folder: Path, content: bytes) -> tuple[list[dict[str, Any]], FileReading]:
    path = folder / "endsong_0.json"
    path.write_bytes(content)
    return read(path)


@pytest.mark.parametrize("write", [audio_file, video_file, endsong_file])
def test_plays_come_with_their_documented_fields(tmp_path: Path, write: Any) -> None:
    stored = plays(0, 500)
    got, one = read(write(tmp_path, "1", stored))
    assert got == stored
    assert [list(play) for play in got] == [list(play) for play in stored]
    assert (one.elements, one.plays, one.rejected.count, one.problem) == (500, 500, 0, None)
    assert (one.span.first, one.span.last) == tuple(datetime.fromisoformat(stored[at]["ts"]) for at in (0, -1))


def test_plays_of_the_small_export_come_as_they_are(tmp_path: Path) -> None:
    stored = [account_data_play(number) for number in range(20)]
    got, one = read_bytes(tmp_path, written(element | {"city": "Madeuptown"} for element in stored))
    assert got == stored
    assert (one.plays, one.span.last) == (20, datetime(2020, 1, 1, 19, tzinfo=UTC))


def test_the_span_takes_every_time_that_the_transform_takes(tmp_path: Path) -> None:
    times: list[Any] = [
        "2020-01-01T01:00:00Z",
        "2020-01-01T01:30:00.125+02:00",
        "2020-01-02T12:00:00-11:00",
        None,
        7,
        "",
        "zz",
        "1970",
        "2019-02-30T00:00:00Z",
    ]
    got, one = read_bytes(tmp_path, written({"ts": ts} for ts in times))
    assert one.span.first == datetime(2019, 12, 31, 23, 30, 0, 125_000, tzinfo=UTC)
    assert one.span.last == datetime(2020, 1, 2, 23, tzinfo=UTC)
    assert (len(got), one.plays, one.rejected.count) == (9, 3, 6)
    assert str(one.rejected) == (
        "neither ts nor endTime (element 4), ts is not a time such as 2024-05-03T12:00:30Z (elements 5, 6, 7, 8, 9)"
    )


def test_what_is_not_documented_is_kept_of_no_element(tmp_path: Path) -> None:
    (good,) = plays(0, 1)
    odd = {f"field_{number}": f"secret {number}" for number in range(20)} | {"metro_code": 501, "TS": "secret"}
    nested = {"platform": {"city": "secret"}, "episode_name": ["secret"]}
    got, one = read_bytes(tmp_path, written([good | odd, good | odd | nested, {"ts": "no time", **odd}, odd]))
    without = {name: value for name, value in good.items() if name not in nested}
    assert got == [good, without, {"ts": "no time"}, {}]
    assert (one.plays, one.rejected.count) == (2, 2)


def test_elements_that_are_no_objects_are_counted_by_number_and_kept_nowhere(tmp_path: Path) -> None:
    good = plays(0, 2)
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = {"more": deep}
    elements = [sent(good[0]), None, PERSONAL[0], [PERSONAL[1]], 7, {**deep, "username": PERSONAL[2]}, sent(good[1])]

    got, one = read_bytes(tmp_path, written(elements))

    # The outermost object counts for the depth too.
    assert got == [good[0], {}, good[1]]
    assert one.rejected.numbers == {"null": [2], "not an object": [3, 5], "a list": [4], "neither ts nor endTime": [6]}
    assert one.problem is None
    assert not [text for text in PERSONAL if text in repr(got)]


def test_what_is_nested_too_deep_is_rejected_and_the_rest_read(tmp_path: Path) -> None:
    nested = b"[" * 50_000 + b"]" * 50_000
    inside = b'{"a": {"b": ' + b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH + b', "c": {}}, "d": 1}'
    got, one = read_bytes(tmp_path, b'[{"ms_played": 1}, ' + nested + b", " + inside + b', {"ms_played": 2}]')
    assert got == [{"ms_played": 1}, {"ms_played": 2}]
    assert one.rejected.numbers[f"nested deeper than {MAX_DEPTH} levels"] == [2, 3]
    assert one.problem is None


def test_many_faults_are_all_counted_and_the_first_named(tmp_path: Path) -> None:
    _, one = read_bytes(tmp_path, written([None] * 1000))
    assert (one.rejected.count, str(one.rejected)) == (1000, "null (elements 1, 2, 3, 4, 5, …)")


@pytest.mark.parametrize(
    ("content", "problem", "plays_before"),
    [
        (
            b'[{"ms_played": 1}, {"ms_played": 2}, {"ip_addr": "203.0.113.77',
            "the file stops at element 3, in the middle of its list",
            2,
        ),
        (b'[{"ms_played": 1}, {"ms_played": 2}', "the file stops at element 3, in the middle of its list", 2),
        (
            b'[{"ms_played": 1}, {"ms_played": x}, {"ms_played": 3}]',
            NOT_JSON,
            1,
        ),
        (b'[{"ms_played": 1}, {"ms_played": NaN}]', NOT_JSON, 1),
        (b'[{"ms_played": 1}, {"ms_played": 1e999}]', NOT_JSON, 1),
        (
            b'[{"ms_played": 1}, {"ms_played": ' + b"9" * 5000 + b"}]",
            NOT_JSON,
            1,
        ),
        (
            b'[{"ms_played": 1}, {"ms_played": "\xff"}]',
            "the file stops at element 2, because its text is not valid UTF-8",
            1,
        ),
        (
            b'[{"ms_played": 1}, {"ms_played": \0',
            "the file stops at element 2, because it contains NUL bytes, as after a failed download or disk error",
            1,
        ),
        (b"[" + b" " * 200_000 + b"x]", "the file stops at element 1, where it is not valid JSON", 0),
        (b'[{"ms_played": 1}] [{"ms_played": 2}]', NOT_JSON, 1),
        (b"", "the file is not a list of plays", 0),
        (b"<html>203.0.113.77</html>", "the file is not a list of plays", 0),
        (b'{"item": [{"ms_played": 1}]}', "the file is not a list of plays", 0),
    ],
)
def test_a_broken_file_gives_what_stands_before_and_says_where_it_broke(
    tmp_path: Path, content: bytes, problem: str, plays_before: int
) -> None:
    got, one = read_bytes(tmp_path, content)
    assert [play["ms_played"] for play in got] == list(range(1, plays_before + 1))
    assert one.problem
    assert one.problem.why == problem


def test_an_element_that_does_not_end_is_no_reason_to_hold_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy_export, "MAX_ELEMENT_BYTES", 1024 * 1024)
    got, one = read_bytes(tmp_path, b'[{"ms_played": 1}, {"ms_played": "' + b"x" * 3_000_000 + b'"}]')
    assert got == [{"ms_played": 1}]
    assert one.problem == Problem("the file stops at element 2, which is larger than 1 MB")


def test_a_mark_before_the_text_and_empty_lists_are_fine(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, b"\xef\xbb\xbf" + written(plays(0, 2)))[0] == plays(0, 2)
    got, one = read_bytes(tmp_path, b" [ ]\n")
    assert (got, one.elements, one.problem) == ([], 0, None)


def test_numbers_and_text_keep_their_values(tmp_path: Path) -> None:
    record = {"ms_played": 9_007_199_254_740_993, "ts": 0.1, "platform": 'ü – 🎧 \\ " \n \u0000', "skipped": True}
    (got,), _ = read_bytes(tmp_path, json.dumps([record]).encode())
    assert got == record
    assert type(got["ms_played"]) is int


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = audio_file(tmp_path, "1", plays(0, 2))
    one = reading(path)
    audio_file(tmp_path, "1", plays(0, 3))
    assert len(list(one.records())) == 3
    assert one.problem == Problem("the file changed while it was read", "run the command again")


def test_a_file_that_goes_between_hash_and_reading_is_noticed(tmp_path: Path) -> None:
    one = FileReading(HashedFile(ExportFile(tmp_path / "endsong_0.json"), "0" * 64), lambda _: None, now=NOW)
    assert list(one.records()) == []
    assert one.problem == Problem(
        "the file stops at element 1, because it cannot be read (No such file or directory)",
        "check that it still exists",
    )


def test_plays_with_an_impossible_time_are_kept_and_counted(tmp_path: Path) -> None:
    """Allow a day, by which clocks may differ."""
    times = ["2007-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "2008-01-01T00:00:00Z"]
    times += ["2026-11-28T12:00:00Z", "2026-11-29T12:00:00Z", "2026-11-29T12:00:01Z", "2999-01-01T00:00:00+01:00"]
    small = {"endTime": "2026-11-30 00:00", "msPlayed": 7}
    got, one = read_bytes(tmp_path, written([*({"ts": ts} for ts in times), small]))
    assert (len(got), one.plays, one.early_plays, one.future_plays) == (8, 8, 2, 3)


def test_plays_of_each_form_are_counted(tmp_path: Path) -> None:
    _, one = read_bytes(tmp_path, written([*map(sent, plays(0, 3)), account_data_play(4), {"endTime": "never"}]))
    assert (one.plays, one.account_data_plays) == (4, 1)
