"""Raw objects: deterministic, write-once, in parts."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from handlers.raw import objects
from handlers.raw.bucket import ConflictError, KeyTakenError, RawBucket
from handlers.raw.objects import RawWriter
from tests.handlers.raw.stored import BUCKET, Stored

RUN = "20261123T060000Z-daily"
FIRST = f"raw/saved_albums/dt=2026-11-23/{RUN}-00000.jsonl.gz"
SECOND = f"raw/saved_albums/dt=2026-11-23/{RUN}-00001.jsonl.gz"


def writer(stored: Stored, folder: Path, *, read_id: str = "read", account: str = "ana", **options: Any) -> RawWriter:
    return RawWriter(
        RawBucket(stored.s3, BUCKET),
        folder,
        stream="saved_albums",
        unit="",
        run_id=RUN,
        read_id=read_id,
        account_id=account,
        **options,
    )


@dataclass(frozen=True)
class Served:
    path: str = "me/albums"
    params: Mapping[str, str] = field(default_factory=lambda: {"limit": "50"})
    extracted_at: datetime = datetime(2026, 11, 23, 6, tzinfo=UTC)


SERVED = Served()


class RefusedError(Exception):
    pass


def write(stored: Stored, folder: Path, count: int = 3, **arguments: Any) -> RawWriter:
    with writer(stored, folder, **arguments) as one:
        for number in range(count):
            one.add({"number": number}, SERVED)
    return one


def test_the_same_lines_are_the_same_bytes_and_no_second_object(stored: Stored, tmp_path: Path) -> None:
    write(stored, tmp_path)
    body = stored.bytes(FIRST)
    again = write(stored, tmp_path)
    assert (again.keys, again.records) == ([FIRST], 3)
    assert stored.keys("raw/") == [FIRST]
    assert stored.bytes(FIRST) == body
    assert body[4:8] == bytes(4)  # gzip's time


def test_other_bytes_under_the_key_are_kept(stored: Stored, tmp_path: Path) -> None:
    write(stored, tmp_path, read_id="of an earlier attempt")
    body = stored.bytes(FIRST)
    assert write(stored, tmp_path).keys == [SECOND]
    assert stored.bytes(FIRST) == body


def test_lost_response_is_no_conflict(stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept a write that succeeded, whose response was lost, and that botocore repeats."""
    put = stored.s3.put_object
    calls = []

    def twice(**arguments: Any) -> Any:
        calls.append(arguments["IfNoneMatch"])
        put(**arguments)
        return put(**arguments)

    monkeypatch.setattr(stored.s3, "put_object", twice)
    one = write(stored, tmp_path)
    assert one.keys == [FIRST] == stored.keys("raw/")
    assert calls == ["*"]


def test_conflicting_write_is_sent_again(stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put = stored.s3.put_object
    calls = []

    def busy(**arguments: Any) -> Any:
        calls.append(arguments["Key"])
        if len(calls) < 3:
            raise stored.s3.exceptions.ClientError(
                {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}},  # type: ignore[typeddict-item] # the rest is not read
                "PutObject",
            )
        return put(**arguments)

    monkeypatch.setattr(stored.s3, "put_object", busy)
    assert write(stored, tmp_path).keys == [FIRST]
    assert calls == [FIRST] * 3


def test_writes_that_always_meet_others_are_an_error(
    stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(**_: Any) -> Any:
        raise stored.s3.exceptions.ClientError(
            {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}},  # type: ignore[typeddict-item] # the rest is not read
            "PutObject",
        )

    monkeypatch.setattr(stored.s3, "put_object", busy)
    one = writer(stored, tmp_path)
    one.add("lost", SERVED)
    with pytest.raises(ConflictError, match="Other writers keep writing"), one:
        pass
    assert (one.keys, one.records) == ([], 0)


def test_parts_are_numbered_behind_those_of_the_same_run(stored: Stored, tmp_path: Path) -> None:
    other = "20261122T060000Z-daily"
    before = [f"raw/saved_albums/dt=2026-11-22/{other}-00007.jsonl.gz", FIRST]
    assert write(stored, tmp_path, earlier_keys=before).keys == [SECOND]
    assert write(stored, tmp_path, read_id="another", earlier_keys=before[:1]).keys == [FIRST]


def test_parts_are_uploaded_as_they_fill(stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 500)
    with writer(stored, tmp_path) as one:
        one.add("x" * 400, SERVED)
        assert stored.keys("raw/") == [FIRST]
        one.add("y", SERVED)
        assert stored.keys("raw/") == [FIRST]
    assert one.keys == [FIRST, SECOND]
    assert stored.records(one.keys) == ["x" * 400, "y"]
    assert [stored.s3.head_object(Bucket=BUCKET, Key=key)["Metadata"]["lines"] for key in one.keys] == ["1", "1"]
    assert list(tmp_path.iterdir()) == []


def test_held_parts_wait_for_the_end(stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 500)
    with writer(stored, tmp_path, hold=True) as one:
        one.add("x" * 400, SERVED)
        one.add("y", SERVED)
        assert stored.keys("raw/") == []
    assert one.keys == [FIRST, SECOND]


def test_more_than_the_disk_holds_is_not_held(stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 500)
    with writer(stored, tmp_path, hold=True) as one:
        one.add("x" * 400, SERVED)
        (held,) = tmp_path.iterdir()
        monkeypatch.setattr(objects, "HELD_BYTES", held.stat().st_size)
        uploaded = []
        for _ in range(2):
            one.add("x" * 400, SERVED)
            uploaded.append(len(stored.keys("raw/")))
    assert uploaded == [2, 3]
    assert (one.keys, one.records) == (stored.keys("raw/"), 3)


def test_dropped_parts_leave_nothing(stored: Stored, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "PART_BYTES", 500)
    with writer(stored, tmp_path, hold=True) as one:
        one.add("x" * 400, SERVED)
        one.add("y", SERVED)
        one.discard()
    assert (one.keys, one.records, stored.keys("raw/"), list(tmp_path.iterdir())) == ([], 0, [], [])


@pytest.mark.parametrize(("keep_on_error", "kept"), [(RefusedError, ["served"]), (KeyError, []), ((), [])])
def test_what_was_served_before_a_failure_is_kept_only_after_that_kind(
    stored: Stored, tmp_path: Path, keep_on_error: type[Exception] | tuple[()], kept: list[str]
) -> None:
    one = writer(stored, tmp_path, hold=True, keep_on_error=keep_on_error)

    def fail() -> None:
        with one:
            one.add("served", SERVED)
            raise RefusedError

    with pytest.raises(RefusedError):
        fail()
    assert stored.records(one.keys) == kept
    assert list(tmp_path.iterdir()) == []


def test_no_record_no_object(stored: Stored, tmp_path: Path) -> None:
    assert write(stored, tmp_path, count=0).keys == []
    assert stored.keys("raw/") == []


def test_account_with_non_ascii_letters_fits_into_metadata(stored: Stored, tmp_path: Path) -> None:
    write(stored, tmp_path, account="änä 1%20+")
    quoted = stored.s3.head_object(Bucket=BUCKET, Key=FIRST)["Metadata"]["account-id"]
    assert quoted == "%C3%A4n%C3%A4%201%2520+"
    assert unquote(quoted) == stored.lines([FIRST])[0]["account_id"] == "änä 1%20+"


def test_a_line_is_one_json_object(stored: Stored, tmp_path: Path) -> None:
    with writer(stored, tmp_path) as one:
        one.add({"text": "a\nb\u2028c \ud83d"}, SERVED, {"position": 3})
    lines = gzip.decompress(stored.bytes(FIRST)).split(b"\n")
    assert len(lines) == 2
    assert lines[1] == b""
    assert stored.lines(one.keys) == [
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


def test_missing_key_differs_from_a_taken_one(stored: Stored) -> None:
    bucket = RawBucket(stored.s3, BUCKET)
    assert bucket.get("state/none.json") is None
    bucket.put_new("runs/a", b"a", "application/json")
    with pytest.raises(KeyTakenError):
        bucket.put_new("runs/a", b"b", "application/json")
    assert stored.bytes("runs/a") == b"a"


def test_a_bucket_that_is_not_there_is_no_conflict(stored: Stored) -> None:
    missing = RawBucket(stored.s3, "no-such-bucket")
    with pytest.raises(stored.s3.exceptions.NoSuchBucket):
        missing.put_new("runs/a", b"a", "application/json")
    for etag in (None, '"0"'):
        with pytest.raises(stored.s3.exceptions.NoSuchBucket):
            missing.replace("state/a.json", b"a", "application/json", etag)


def test_a_version_that_is_gone_is_a_conflict(stored: Stored) -> None:
    with pytest.raises(ConflictError):
        RawBucket(stored.s3, BUCKET).replace("state/a.json", b"a", "application/json", '"0"')
