"""State: conditional writes, and what happens when two runs write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.raw.bucket import RawBucket
from handlers.raw.state import Content, Slot, StateError, StateFile
from tests.handlers.raw.stored import BUCKET, Stored

KEY = "state/0123456789abcdef/saved_albums.json"


def open_state(stored: Stored) -> StateFile:
    return StateFile(RawBucket(stored.s3, BUCKET), KEY)


def increased(content: Content) -> Content:
    return {"count": content.get("count", 0) + 1}


def test_first_write_replaces_nothing_and_later_ones_what_was_read(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = stored.s3.put_object
    conditions: list[tuple[str | None, bool]] = []

    def noting(**arguments: Any) -> Any:
        conditions.append((arguments.get("IfNoneMatch"), "IfMatch" in arguments))
        return put(**arguments)

    monkeypatch.setattr(stored.s3, "put_object", noting)
    one = open_state(stored)
    one.update(increased)
    one.update(increased)
    open_state(stored).update(increased)
    assert conditions == [("*", False), (None, True), (None, True)]
    assert stored.json(KEY) == {"count": 3}


def test_two_runs_at_once_lose_nothing(stored: Stored) -> None:
    one, other = open_state(stored), open_state(stored)
    assert one.content == other.content == {}
    one.update(increased)
    other.update(increased)
    one.update(increased)
    assert stored.json(KEY) == {"count": 3}


def test_deleted_state_is_written_again(stored: Stored) -> None:
    one = open_state(stored)
    one.update(increased)
    stored.s3.delete_object(Bucket=BUCKET, Key=KEY)
    one.update(increased)
    assert stored.json(KEY) == {"count": 1}


def test_change_that_changes_nothing_writes_nothing(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    one = open_state(stored)
    one.update(increased)
    monkeypatch.setattr(stored.s3, "put_object", None)
    one.update(lambda content: {**content})


def test_a_write_at_the_same_moment_as_another_is_made_again(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry when S3 responds with 409 to one of two concurrent conditional writes."""
    put = stored.s3.put_object
    calls = []

    def busy(**arguments: Any) -> Any:
        calls.append(arguments["Key"])
        if len(calls) == 1:
            put(Bucket=BUCKET, Key=KEY, Body=b'{"count": 7}')
            raise stored.s3.exceptions.ClientError(
                {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}},  # type: ignore[typeddict-item] # the rest is not read
                "PutObject",
            )
        return put(**arguments)

    monkeypatch.setattr(stored.s3, "put_object", busy)
    open_state(stored).update(increased)
    assert stored.json(KEY) == {"count": 8}
    assert calls == [KEY] * 2


def test_endless_conflict_is_an_error(stored: Stored) -> None:
    one = open_state(stored)

    def contested(content: Content) -> Content:
        stored.s3.put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps({"other": content.get("other", 0) + 1}))
        return {**content, "mine": True}

    with pytest.raises(StateError, match="keep changing"):
        one.update(contested)


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"null"])
def test_invalid_state_is_reported_counts_as_empty_and_is_replaced(stored: Stored, body: bytes) -> None:
    stored.s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)
    told: list[str] = []
    one = StateFile(RawBucket(stored.s3, BUCKET), KEY, told.append)
    assert (one.content, told) == ({}, [KEY])
    one.update(increased)
    assert stored.json(KEY) == {"count": 1}


def test_a_slot_changes_its_own_part_alone(stored: Stored) -> None:
    one = open_state(stored)
    one.update(lambda _: {"units": {"other": {"count": 7}, "mine": "no object"}, "more": 1})
    slot = Slot(one, "units", "mine", tidy=lambda whole: {**whole, "tidied": True})
    assert slot.content == {}
    slot.update(increased)
    assert slot.content == {"count": 1}
    assert stored.json(KEY) == {"units": {"other": {"count": 7}, "mine": {"count": 1}}, "more": 1, "tidied": True}
