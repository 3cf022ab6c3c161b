"""Raw objects that are transformed after their partition was compacted: again, by a newer version, or late."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from handlers.compact import plan
from handlers.layout import COMPACTIONS_PREFIX, compacted_key
from handlers.transform import origin
from tests.handlers.compact.lake import HOUR, NOON, RAW, TRANSFORMED, TWIN, Lake
from tests.handlers.compact.test_killed import play
from tests.handlers.transform.stage import compressed, metadata_of

TABLE = "plays"


@pytest.fixture(name="keys")
def fixture_keys(lake: Lake) -> list[str]:
    """The raw keys of a partition of which one compacted object is left."""
    keys = [lake.extract("recently_played", [play(hour, n) for n in range(3)], hour=hour) for hour in range(3)]
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    assert len(lake.listed("tables/plays/")) == 1
    return keys


def finish(lake: Lake, hours: int) -> None:
    """Compact, and again after the grace period."""
    lake.compact(NOON + hours * HOUR)
    lake.compact(NOON + (hours + 1) * HOUR)


def test_a_replay_changes_nothing(lake: Lake, keys: list[str]) -> None:
    lake.replay(keys[1])
    assert lake.rows(TABLE) - lake.rows(TABLE, TWIN)
    finish(lake, 2)
    assert len(lake.listed("tables/plays/")) == 1
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_replay_by_a_newer_version_replaces_its_rows(
    lake: Lake, keys: list[str], monkeypatch: pytest.MonkeyPatch, at_once: bool
) -> None:
    monkeypatch.setattr(origin, "SCHEMA_VERSION", 4)
    for key in keys if at_once else keys[:1]:
        lake.replay(key)
    finish(lake, 2)
    (file,) = lake.files(TABLE).values()
    assert Counter(file["_schema_version"].to_pylist()) == ({4: 9} if at_once else {3: 6, 4: 3})
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


def test_a_replay_with_fewer_rows_removes_the_others(lake: Lake, keys: list[str]) -> None:
    lines: list[Any] = [play(0, 0), b"no JSON"]
    lake.s3.put_object(Bucket=RAW, Key=keys[0], Body=compressed(lines), Metadata=metadata_of(lines))
    lake.replay(keys[0])
    finish(lake, 2)
    assert lake.rows(TABLE).total() == 7
    assert lake.tables() == lake.tables(TWIN)


def test_a_late_event_joins_its_closed_partition(lake: Lake, keys: list[str]) -> None:
    assert lake.extract("recently_played", [play(9, 0)], hour=9) not in keys
    finish(lake, 24)
    assert len(lake.listed("tables/plays/")) == 1
    assert lake.rows(TABLE).total() == 10
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


def test_a_replay_before_the_deletion_keeps_its_new_rows(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [lake.extract("recently_played", [play(hour, 0)], hour=hour) for hour in range(3)]
    lake.compact(NOON)
    monkeypatch.setattr(origin, "SCHEMA_VERSION", 4)
    lake.replay(keys[1])
    found = lake.compact(NOON + HOUR, table=TABLE)
    assert (found.objects_deleted, found.partitions, found.waiting) == (2, 1, 1)
    lake.compact(NOON + 2 * HOUR)
    assert len(lake.listed("tables/plays/")) == 1
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.slow
def test_an_object_that_changes_between_the_listing_and_its_deletion_stays(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [lake.extract("recently_played", [play(hour, 0)], hour=hour) for hour in range(3)]
    lake.compact(NOON)
    monkeypatch.setattr(origin, "SCHEMA_VERSION", 4)
    delete = lake.s3.delete_object

    def replay_first(**arguments: Any) -> Any:
        if "T000000Z" in arguments["Key"]:
            lake.replay(keys[0])
        return delete(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(lake.s3, "delete_object", replay_first)
        assert lake.compact(NOON + HOUR, table=TABLE).objects_deleted == 2
    assert len(lake.listed("tables/plays/")) == 2
    finish(lake, 2)
    assert len(lake.listed("tables/plays/")) == 1
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.slow
@pytest.mark.parametrize("content", [None, b"{", b"[]", b'{"object": 1, "bytes": "x", "sources": {}}'])
def test_a_record_that_is_gone_or_damaged_loses_no_row(lake: Lake, keys: list[str], content: bytes | None) -> None:
    lake.replay(keys[2])
    key = f"{COMPACTIONS_PREFIX}plays/2026-11.json"
    if content is None:
        lake.s3.delete_object(Bucket=TRANSFORMED, Key=key)
    else:
        lake.s3.put_object(Bucket=TRANSFORMED, Key=key, Body=content)
    finish(lake, 2)
    assert len(lake.listed("tables/plays/")) == 1
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.slow
def test_without_a_record_the_newest_of_several_compacted_objects_counts(
    lake: Lake, keys: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = lake.compacted(TABLE)
    body = lake.body(old)
    monkeypatch.setattr(origin, "SCHEMA_VERSION", 4)
    for key in keys:
        lake.replay(key)
    finish(lake, 2)
    lake.s3.delete_object(Bucket=TRANSFORMED, Key=f"{COMPACTIONS_PREFIX}plays/2026-11.json")
    with lake.at(NOON):
        for digest in ("0" * 16, "f" * 16):
            key = compacted_key("plays", "month", "2026-11", digest)
            lake.s3.put_object(Bucket=TRANSFORMED, Key=key, Body=body)
    finish(lake, 4)
    assert len(lake.listed("tables/plays/")) == 1
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


@pytest.mark.slow
def test_an_older_compacted_object_that_comes_back_doubles_nothing(lake: Lake, keys: list[str]) -> None:
    (old,) = lake.compacted(TABLE)
    body = lake.body(old)
    lake.replay(keys[0])
    lake.extract("recently_played", [play(9, 0)], hour=9)
    finish(lake, 2)
    lake.s3.put_object(Bucket=TRANSFORMED, Key=old, Body=body)
    finish(lake, 4)
    assert len(lake.listed("tables/plays/")) == 1
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


def test_another_compaction_that_was_first_is_left_the_partition(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(3):
        lake.extract("recently_played", [play(hour, 0)], hour=hour)
    put = lake.s3.put_object

    def compact_first(**arguments: Any) -> Any:
        patch.undo()
        assert lake.compact(NOON, table=TABLE).partitions == 1
        return put(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(lake.s3, "put_object", compact_first)
        found = lake.compact(NOON, table=TABLE)
    assert (found.partitions, found.failed, found.left_alone) == (0, {}, {})
    assert len(lake.compacted(TABLE)) == 1


@pytest.mark.slow
def test_more_originals_than_fit_are_compacted_one_part_after_the_other(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "MAX_ORIGINALS", 4)
    for hour in range(10):
        lake.extract("recently_played", [play(hour, 0)], hour=hour)
    found = lake.compact(NOON, table=TABLE)
    assert (found.partitions, found.objects_read, found.remaining) == (3, 4 + 5 + 3, 0)
    lake.compact(NOON + HOUR)
    assert len(lake.listed("tables/plays/")) == 1
    assert lake.rows(TABLE) == lake.rows(TABLE, TWIN)


def test_replays_are_compacted_before_the_rows_that_they_are_about(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(2):
        lake.replay(lake.extract("recently_played", [play(hour, 0)], hour=hour), late=True)
    stored: list[str] = []
    put = lake.s3.put_object

    def noting(**arguments: Any) -> Any:
        stored.append(arguments["Key"])
        return put(**arguments)

    monkeypatch.setattr(lake.s3, "put_object", noting)
    lake.compact(NOON)
    tables = [key.split("/")[1] for key in stored if key.startswith(COMPACTIONS_PREFIX)]
    assert tables[0] == "replays"
    assert TABLE in tables[1:]
