"""Raw objects: deterministic, write-once, in parts."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from handlers.extract import raw
from handlers.extract.errors import NotFoundError
from handlers.extract.paging import Record
from handlers.extract.raw import RawWriter
from handlers.extract.spotify import Answer
from handlers.extract.storage import Bucket, KeyTakenError
from tests.handlers.extract.stage import BUCKET, Stage

RUN = "20261123T060000Z-daily"
FIRST = f"raw/saved_albums/dt=2026-11-23/{RUN}-00000.jsonl.gz"
SECOND = f"raw/saved_albums/dt=2026-11-23/{RUN}-00001.jsonl.gz"


def writer(stage: Stage, folder: Path, *, read_id: str = "read", account: str = "ana", hold: bool = False) -> RawWriter:
    return RawWriter(
        Bucket(stage.s3, BUCKET),
        folder,
        stream="saved_albums",
        unit="",
        run_id=RUN,
        read_id=read_id,
        account_id=account,
        hold=hold,
    )


def record(value: Any) -> Record:
    return Record(value, 0, Answer({}, "me/albums", {"limit": "50"}, datetime(2026, 11, 23, 6, tzinfo=UTC)))


def write(stage: Stage, folder: Path, count: int = 3, **arguments: Any) -> RawWriter:
    with writer(stage, folder, **arguments) as one:
        for number in range(count):
            one.add(record({"number": number}))
    return one


def test_the_same_lines_are_the_same_bytes_and_no_second_object(stage: Stage, tmp_path: Path) -> None:
    write(stage, tmp_path)
    body = stage.bytes(FIRST)
    again = write(stage, tmp_path)
    assert (again.keys, again.records) == ([FIRST], 3)
    assert stage.keys("raw/") == [FIRST]
    assert stage.bytes(FIRST) == body
    assert body[4:8] == bytes(4)  # gzip's time


def test_other_bytes_under_the_key_are_kept(stage: Stage, tmp_path: Path) -> None:
    write(stage, tmp_path, read_id="of an earlier attempt")
    body = stage.bytes(FIRST)
    assert write(stage, tmp_path).keys == [SECOND]
    assert stage.bytes(FIRST) == body


def test_lost_answer_is_no_conflict(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write lands, its answer does not, and botocore sends it again."""
    put = stage.s3.put_object
    calls = []

    def twice(**arguments: Any) -> Any:
        calls.append(arguments["IfNoneMatch"])
        put(**arguments)
        return put(**arguments)

    monkeypatch.setattr(stage.s3, "put_object", twice)
    one = write(stage, tmp_path)
    assert one.keys == [FIRST] == stage.keys("raw/")
    assert calls == ["*"]


def test_conflicting_write_is_sent_again(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = stage.s3.put_object
    calls = []

    def busy(**arguments: Any) -> Any:
        calls.append(arguments["Key"])
        if len(calls) < 3:
            raise stage.s3.exceptions.ClientError(
                {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}},  # type: ignore[typeddict-item] # the rest is not read
                "PutObject",
            )
        return put(**arguments)

    monkeypatch.setattr(stage.s3, "put_object", busy)
    assert write(stage, tmp_path).keys == [FIRST]
    assert calls == [FIRST] * 3


def test_parts_are_uploaded_as_they_fill(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "PART_BYTES", 500)
    with writer(stage, tmp_path) as one:
        one.add(record("x" * 400))
        assert stage.keys("raw/") == [FIRST]
        one.add(record("y"))
        assert stage.keys("raw/") == [FIRST]
    assert one.keys == [FIRST, SECOND]
    assert stage.records(one.keys) == ["x" * 400, "y"]
    assert [stage.s3.head_object(Bucket=BUCKET, Key=key)["Metadata"]["lines"] for key in one.keys] == ["1", "1"]
    assert list(tmp_path.iterdir()) == []


def test_held_parts_wait_for_the_end(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "PART_BYTES", 500)
    with writer(stage, tmp_path, hold=True) as one:
        one.add(record("x" * 400))
        one.add(record("y"))
        assert stage.keys("raw/") == []
    assert one.keys == [FIRST, SECOND]


def test_dropped_parts_leave_nothing(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "PART_BYTES", 500)
    with writer(stage, tmp_path, hold=True) as one:
        one.add(record("x" * 400))
        one.add(record("y"))
        one.discard()
    assert (one.keys, one.records, stage.keys("raw/"), list(tmp_path.iterdir())) == ([], 0, [], [])


def test_what_was_served_before_a_failure_is_kept(stage: Stage, tmp_path: Path) -> None:
    one = writer(stage, tmp_path, hold=True)

    def fail() -> None:
        with one:
            one.add(record("served"))
            raise NotFoundError("gone")

    with pytest.raises(NotFoundError):
        fail()
    assert stage.records(one.keys) == ["served"]


def test_no_record_no_object(stage: Stage, tmp_path: Path) -> None:
    assert write(stage, tmp_path, count=0).keys == []
    assert stage.keys("raw/") == []


def test_account_of_odd_letters_fits_into_metadata(stage: Stage, tmp_path: Path) -> None:
    write(stage, tmp_path, account="änä 1%20+")
    stored = stage.s3.head_object(Bucket=BUCKET, Key=FIRST)["Metadata"]["account-id"]
    assert stored == "%C3%A4n%C3%A4%201%2520+"
    assert unquote(stored) == stage.lines([FIRST])[0]["account_id"] == "änä 1%20+"


def test_a_line_is_one_json_object(stage: Stage, tmp_path: Path) -> None:
    with writer(stage, tmp_path) as one:
        one.add(record({"text": "a\nb\u2028c \ud83d"}), {"position": 3})
    lines = gzip.decompress(stage.bytes(FIRST)).split(b"\n")
    assert len(lines) == 2
    assert lines[1] == b""
    assert stage.lines(one.keys) == [
        {
            "stream": "saved_albums",
            "run_id": RUN,
            "read_id": "read",
            "extracted_at": "2026-11-23T06:00:00.000Z",
            "account_id": "ana",
            "request": {"path": "me/albums", "params": {"limit": "50"}},
            "context": {"position": 3},
            "record": {"text": "a\nb\u2028c \ud83d"},
        }
    ]


def test_bucket_tells_a_missing_key_from_a_taken_one(stage: Stage) -> None:
    bucket = Bucket(stage.s3, BUCKET)
    assert bucket.get("state/none.json") is None
    bucket.put_new("runs/a", b"a", "application/json")
    with pytest.raises(KeyTakenError):
        bucket.put_new("runs/a", b"b", "application/json")
    assert stage.bytes("runs/a") == b"a"
