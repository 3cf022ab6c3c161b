"""The run in a key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handlers import layout

RUN = "20261102T050000Z-daily"


@pytest.mark.parametrize(
    "key",
    [
        str(layout.RawKey("playlist_items", RUN, 3, "4Z8W4fKeB5Yxbus")),
        str(layout.ManifestKey(RUN, 1)),
        layout.outputs_key(str(layout.ManifestKey(RUN, 1))),
        layout.table_key("plays", "month", "2016-01", "streaming_history", f"{RUN}-00000"),
    ],
)
def test_every_key_of_a_run_names_it(key: str) -> None:
    assert layout.run_in(key) == RUN


@pytest.mark.parametrize(
    "key",
    [
        "raw/odd.jsonl.gz",
        "state/0123456789abcdef/profile.json",
        layout.outputs_key("foreign/0123"),
        "raw/profile/dt=2026-11-02/20261399T050000Z-daily-00000.jsonl.gz",
        f"raw/{RUN}/odd.jsonl.gz",
    ],
)
def test_other_keys_name_none(key: str) -> None:
    assert layout.run_in(key) is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (str(layout.RawKey("plays", RUN, 3)), f"plays-{RUN}-00003"),
        (
            str(layout.RawKey("playlist_items", RUN, 3, "4Z8W4fKeB5Yxbus")),
            f"playlist_items-{RUN}-4Z8W4fKeB5Yxbus-00003",
        ),
        (str(layout.ManifestKey(RUN, 1)), f"runs-{RUN}-001"),
        ("raw/by hand.jsonl.gz", "foreign-246d824fb0255c3384f0640300118c05"),
        ("runs/odd.json", "foreign-5a87716ebd33b30cac029dda6455ee50"),
    ],
)
def test_the_outputs_of_an_object_have_a_name_that_follows_from_its_key(key: str, name: str) -> None:
    stream, stem = layout.output_of(key)
    assert f"{stream}-{stem}" == name
    path = layout.table_key("rejected_records", "year", "2026", stream, stem)
    assert path == f"tables/rejected_records/year=2026/{name}.parquet"
    assert layout.is_original(f"{name}.parquet")
    assert not layout.is_compacted(f"{name}.parquet")


def test_a_compacted_object_is_known_by_its_name() -> None:
    key = layout.compacted_key("plays", "month", "2026-11", "0123456789abcdef")
    assert key == "tables/plays/month=2026-11/compacted-0123456789abcdef.parquet"
    assert key.startswith(layout.partition_prefix("plays", "month", "2026-11"))
    assert layout.is_compacted(key.rpartition("/")[2])
    assert not layout.is_original(key.rpartition("/")[2])
    assert layout.run_in(key) is None
    assert layout.compaction_key("plays", "2026-11") == "compactions/plays/2026-11.json"


def test_keys_of_tables_and_compactions_name_their_partition() -> None:
    compacted = layout.compacted_key("plays", "month", "2026-11", "0123456789abcdef")
    record = layout.compaction_key("plays", "2026-11")
    assert (layout.partition_in(compacted), layout.compaction_in(compacted)) == (("plays", "2026-11"), None)
    assert (layout.partition_in(record), layout.compaction_in(record)) == (None, ("plays", "2026-11"))


@pytest.mark.parametrize(
    ("key", "partition", "before"),
    [
        (str(layout.ManifestKey(RUN, 0)), "2026-11", datetime(2026, 11, 2, 5, 0, 1, tzinfo=UTC)),
        ("raw/odd.jsonl.gz", "2026-11", datetime(2026, 11, 2, tzinfo=UTC)),
        ("raw/odd.jsonl.gz", "2026-11-02", datetime(2026, 11, 3, tzinfo=UTC)),
    ],
)
def test_an_object_is_of_a_run_before_a_moment(key: str, partition: str, before: datetime) -> None:
    assert layout.is_of_run_before(before, key, partition)
    assert not layout.is_of_run_before(before - timedelta(days=1), key, partition)


@pytest.mark.parametrize(
    "name",
    [
        "part-00000.parquet",
        f"plays-{RUN}-00000.parquet.tmp",
        "compacted-0123456789ABCDEF.parquet",
        f"{RUN}-00000.parquet",
    ],
)
def test_other_files_are_neither_original_nor_compacted(name: str) -> None:
    assert not layout.is_original(name)
    assert not layout.is_compacted(name)


def test_moment_survives_being_written() -> None:
    moment = datetime(2026, 11, 23, 6, 0, 0, 123_000, tzinfo=UTC)
    assert layout.written(moment) == "2026-11-23T06:00:00.123Z"
    assert layout.parse_time(layout.written(moment)) == moment


@pytest.mark.parametrize(
    "text",
    [None, 7, "", "soon", "2026-11-23T06:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"],
)
def test_what_is_no_moment_in_utc_is_none(text: object) -> None:
    assert layout.parse_time(text) is None
