"""State: conditional writes, and what happens when two runs write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.extract.state import CompleteRead, Content, StateError, StateFile, newer
from handlers.extract.storage import Bucket
from tests.handlers.extract.stage import BUCKET, Stage

KEY = "state/0123456789abcdef/saved_albums.json"


def state_file(stage: Stage) -> StateFile:
    return StateFile(Bucket(stage.s3, BUCKET), KEY)


def increased(content: Content) -> Content:
    return {"count": content.get("count", 0) + 1}


def test_first_write_replaces_nothing_and_later_ones_what_was_read(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = stage.s3.put_object
    conditions: list[tuple[str | None, bool]] = []

    def noting(**arguments: Any) -> Any:
        conditions.append((arguments.get("IfNoneMatch"), "IfMatch" in arguments))
        return put(**arguments)

    monkeypatch.setattr(stage.s3, "put_object", noting)
    one = state_file(stage)
    one.update(increased)
    one.update(increased)
    state_file(stage).update(increased)
    assert conditions == [("*", False), (None, True), (None, True)]
    assert stage.json(KEY) == {"count": 3}


def test_two_runs_at_once_lose_nothing(stage: Stage) -> None:
    one, other = state_file(stage), state_file(stage)
    assert one.content == other.content == {}
    one.update(increased)
    other.update(increased)
    one.update(increased)
    assert stage.json(KEY) == {"count": 3}


def test_state_that_vanished_is_written_anew(stage: Stage) -> None:
    one = state_file(stage)
    one.update(increased)
    stage.s3.delete_object(Bucket=BUCKET, Key=KEY)
    one.update(increased)
    assert stage.json(KEY) == {"count": 1}


def test_change_that_changes_nothing_writes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    one = state_file(stage)
    one.update(increased)
    monkeypatch.setattr(stage.s3, "put_object", None)
    one.update(lambda content: {**content})


def test_endless_conflict_is_an_error(stage: Stage) -> None:
    one = state_file(stage)

    def contested(content: Content) -> Content:
        stage.s3.put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps({"other": content.get("other", 0) + 1}))
        return {**content, "mine": True}

    with pytest.raises(StateError, match="keep changing"):
        one.update(contested)


READS = st.builds(
    CompleteRead,
    read_id=st.text(),
    mode=st.sampled_from(["full", "incremental"]),
    keys=st.lists(st.text()).map(tuple),
    records=st.integers(0),
    begun_at=st.just("2026-11-22T06:00:00.000Z"),
    extracted_at=st.just("2026-11-23T06:00:00.000Z"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["read_id", "mode", "keys", "records", "begun_at", "extracted_at"]), inner
    ),
)  # fmt: skip


@given(READS)
def test_read_survives_its_state(read: CompleteRead) -> None:
    assert CompleteRead.parse(json.loads(json.dumps(read.content()))) == read


@given(JSON)
def test_whatever_state_holds_is_a_read_or_none(content: object) -> None:
    read = CompleteRead.parse(content)
    assert read is None or read.content() == content


def test_older_read_does_not_displace_a_newer_one() -> None:
    def at(hour: int) -> CompleteRead:
        return CompleteRead("r", "full", (), 0, "2026-11-23T05:00:00.000Z", f"2026-11-23T{hour:02d}:00:00.000Z")

    assert newer(at(7).content(), at(6))
    assert not newer(at(6).content(), at(7))
    assert not newer("nonsense", at(7))
