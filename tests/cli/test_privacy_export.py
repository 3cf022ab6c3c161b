"""Plays out of files, whole and broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli import privacy_export
from cli.export_files import ExportFile, HashedFile, hashed
from cli.privacy_export import MAX_DEPTH, Reading, without_personal_data
from tests.cli.privacy_exports import PERSONAL, audio_file, endsong_file, plays, sent, written


def reading(path: Path) -> Reading:
    return Reading(hashed(ExportFile(path), lambda _: None), lambda _: None)


def read(path: Path) -> tuple[list[dict[str, Any]], Reading]:
    one = reading(path)
    return list(one.plays()), one


def read_bytes(folder: Path, content: bytes) -> tuple[list[dict[str, Any]], Reading]:
    path = folder / "endsong_0.json"
    path.write_bytes(content)
    return read(path)


@pytest.mark.parametrize("write", [audio_file, endsong_file])
def test_plays_come_as_they_are_but_for_personal_data(tmp_path: Path, write: Any) -> None:
    stored = plays(0, 500)
    got, one = read(write(tmp_path, "1", stored))
    assert got == stored
    assert [list(play) for play in got] == [list(play) for play in stored]
    assert (one.elements, one.rejections, one.problem) == (500, 0, None)
    assert (one.span.first, one.span.last) == (stored[0]["ts"], stored[-1]["ts"])


def test_the_span_asks_only_times(tmp_path: Path) -> None:
    times: list[Any] = [
        "2021-01-01T00:00:00Z",
        "2020-01-01T00:00:00Z",
        None,
        7,
        "",
        "zz",
        "1970",
        "2020-06-01T00:00:00Z",
    ]
    _, one = read_bytes(tmp_path, written({"ts": ts} for ts in times))
    assert (one.span.first, one.span.last) == ("2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z")


def test_personal_data_go_whatever_they_are_called_and_however_deep() -> None:
    assert without_personal_data(
        {
            "ip_addr": 1,
            "ip_addr_decrypted": 1,
            "IP Address": 1,
            "ip": 1,
            "ipv6": 1,
            "user_agent_decrypted": 1,
            "userAgent": 1,
            "username": 1,
            "user-name": 1,
            "platform": "web",
            "description": "kept",
            "skipped": False,
            "more": [{"ip_addr": 1, "shipped": 2}, [{"username": 1}]],
        }
    ) == {
        "platform": "web",
        "description": "kept",
        "skipped": False,
        "more": [{"shipped": 2}, [{}]],
    }


def test_elements_that_are_no_objects_are_counted_by_number_and_kept_nowhere(tmp_path: Path) -> None:
    good = plays(0, 2)
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = {"more": deep}
    elements = [sent(good[0]), None, PERSONAL[0], [PERSONAL[1]], 7, {**deep, "username": PERSONAL[2]}, sent(good[1])]

    got, one = read_bytes(tmp_path, written(elements))

    # The outermost object counts for the depth too.
    assert got[0] == good[0]
    assert got[-1] == good[1]
    assert one.rejected == [(2, "is null"), (3, "is no object"), (4, "is a list"), (5, "is no object")]
    assert one.problem is None
    assert not [text for text in PERSONAL if text in repr(got)]


def test_what_is_nested_too_deep_is_rejected_and_the_rest_read(tmp_path: Path) -> None:
    nested = b"[" * 50_000 + b"]" * 50_000
    inside = b'{"a": {"b": ' + b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH + b', "c": {}}, "d": 1}'
    got, one = read_bytes(tmp_path, b'[{"n": 1}, ' + nested + b", " + inside + b', {"n": 2}]')
    assert got == [{"n": 1}, {"n": 2}]
    why = f"is nested deeper than {MAX_DEPTH}"
    assert (one.rejected, one.problem) == ([(2, why), (3, why)], None)


def test_many_rejected_elements_are_all_counted_and_the_first_named(tmp_path: Path) -> None:
    _, one = read_bytes(tmp_path, written([None] * 1000))
    assert (one.rejections, len(one.rejected)) == (1000, 20)


@pytest.mark.parametrize(
    ("content", "problem", "plays_before"),
    [
        (
            b'[{"n": 1}, {"n": 2}, {"ip_addr": "203.0.113.77',
            "The file stops at element 3, in the middle of its list.",
            2,
        ),
        (b'[{"n": 1}, {"n": 2}', "The file stops at element 3, in the middle of its list.", 2),
        (b'[{"n": 1}, {"n": x}, {"n": 3}]', "The file stops at element 2, where it is no JSON.", 1),
        (b'[{"n": 1}, {"n": NaN}]', "The file stops at element 2, where it is no JSON.", 1),
        (b'[{"n": 1}, {"n": 1e999}]', "The file stops at element 2, where it is no JSON.", 1),
        (b'[{"n": 1}, {"n": ' + b"9" * 5000 + b"}]", "The file stops at element 2, where it is no JSON.", 1),
        (b'[{"n": 1}, {"n": "\xff"}]', "The file stops at element 2, where it is no JSON.", 1),
        (b'[{"n": 1}] [{"n": 2}]', "The file stops at element 2, where it is no JSON.", 1),
        (b"", "The file holds no list of plays.", 0),
        (b"<html>203.0.113.77</html>", "The file holds no list of plays.", 0),
        (b'{"item": [{"n": 1}]}', "The file holds no list of plays.", 0),
        ('[{"n": 1}]'.encode("utf-16"), "The file holds no list of plays.", 0),
    ],
)
def test_a_broken_file_gives_what_stands_before_and_says_where_it_broke(
    tmp_path: Path, content: bytes, problem: str, plays_before: int
) -> None:
    got, one = read_bytes(tmp_path, content)
    assert [play["n"] for play in got] == list(range(1, plays_before + 1))
    assert one.problem == problem


def test_an_element_that_does_not_end_is_no_reason_to_hold_it_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy_export, "MAX_ELEMENT_BYTES", 1024 * 1024)
    got, one = read_bytes(tmp_path, b'[{"n": 1}, {"n": "' + b"x" * 3_000_000 + b'"}]')
    assert (got, one.problem) == ([{"n": 1}], "The file stops at element 2, which is larger than 1 MB.")


def test_a_mark_before_the_text_and_empty_lists_are_fine(tmp_path: Path) -> None:
    assert read_bytes(tmp_path, b"\xef\xbb\xbf" + written(plays(0, 2)))[0] == plays(0, 2)
    got, one = read_bytes(tmp_path, b" [ ]\n")
    assert (got, one.elements, one.problem) == ([], 0, None)


def test_numbers_and_text_keep_their_values(tmp_path: Path) -> None:
    record = {"n": 9_007_199_254_740_993, "f": 0.1, "t": 'ü – 🎧 \\ " \n \u0000', "b": [True, None, {}]}
    (got,), _ = read_bytes(tmp_path, json.dumps([record]).encode())
    assert got == record
    assert type(got["n"]) is int


def test_a_file_that_changes_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = audio_file(tmp_path, "1", plays(0, 2))
    one = reading(path)
    audio_file(tmp_path, "1", plays(0, 3))
    assert len(list(one.plays())) == 3
    assert one.problem == "The file changed while it was read."


def test_a_file_that_goes_between_hash_and_reading_is_noticed(tmp_path: Path) -> None:
    one = Reading(HashedFile(ExportFile(tmp_path / "endsong_0.json"), "0" * 64), lambda _: None)
    assert list(one.plays()) == []
    assert one.problem == "The file stops at element 1, since it cannot be read (No such file or directory)."
