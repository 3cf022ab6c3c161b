from __future__ import annotations

import gzip
import hashlib
import io
import json
import resource
import weakref
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError, IncompleteReadError
from botocore.response import StreamingBody

from handlers.layout import RawKey
from handlers.tables import SCHEMA_VERSION
from handlers.transform import blocks as blocks_module
from handlers.transform import table_files
from handlers.transform.raw_objects import transform_raw
from handlers.transform.table_files import TableFiles
from handlers.transform.transformer import Transformer
from tests.handlers.transform.stage import (
    ACCOUNT,
    ON_THE_DAY,
    RAW,
    READ,
    RUN,
    TRANSFORMED,
    FileStage,
    Stage,
    compressed,
    metadata_of,
    raw_line,
)
from tests.handlers.transform.test_golden import SHAPES, TELLING_SHAPES, fixture_lines
from tests.thoroughness import sampled

KEY = str(RawKey("saved_tracks", RUN, 0))


def saved(number: int) -> dict[str, Any]:
    track = {"id": f"t{number}", "uri": f"spotify:track:t{number}", "type": "track"}
    return raw_line("saved_tracks", {"added_at": f"2026-07-01T12:00:{number % 60:02}Z", "track": track})


def rejected(stage: Stage) -> list[tuple[int, str]]:
    return sorted((row["_line"], row["reason"]) for row in stage.rows("rejected_records"))


@pytest.mark.parametrize(("stream", "shape"), sampled(SHAPES, TELLING_SHAPES[:2]))
def test_twice_is_the_same_bytes_under_the_same_keys(stage: Stage, stream: str, shape: str) -> None:
    lines = [*fixture_lines(stream, shape), b"no json"]
    stage.transform(stream, lines)
    first = stage.everything()
    assert stage.transform(stream, lines).deleted == ()
    assert stage.everything() == first


def test_the_note_says_what_an_object_became(stage: Stage) -> None:
    stage.transform("saved_tracks", [saved(1), saved(2), b"no json"])
    stem = f"saved_tracks-{RUN}-00000.parquet"
    assert stage.note(KEY) == {
        "raw_key": KEY,
        "schema_version": SCHEMA_VERSION,
        "outputs": {
            f"tables/tracks/month=2026-11/{stem}": 2,
            f"tables/saved_tracks/month=2026-11/{stem}": 2,
            f"tables/rejected_records/year=2026/{stem}": 1,
        },
        "rows": {"tracks": 2, "saved_tracks": 2, "rejected_records": 1},
        "lines": 3,
        "rejected": 1,
    }
    assert set(stage.keys()) == set(stage.note(KEY)["outputs"])


def test_outputs_that_are_no_longer_produced_are_deleted(stage: Stage) -> None:
    stage.transform("saved_tracks", [saved(1), b"no json"])
    stage.s3.put_object(Bucket=TRANSFORMED, Key="tables/tracks/month=2026-11/another.parquet", Body=b"")

    result = stage.transform("saved_tracks", [raw_line("saved_tracks", {"added_at": "2026-07-01T12:00:00Z"})])

    stem = f"saved_tracks-{RUN}-00000.parquet"
    assert result.deleted == (f"tables/rejected_records/year=2026/{stem}", f"tables/tracks/month=2026-11/{stem}")
    assert stage.keys() == [f"tables/saved_tracks/month=2026-11/{stem}", "tables/tracks/month=2026-11/another.parquet"]


@pytest.mark.parametrize(
    "note", sampled([b"{", b'{"outputs": [7]}', b"", b"[]", b'{"outputs": null}', b'{"outputs": {"x": 1}}'], 2)
)
def test_a_note_that_cannot_be_read_deletes_nothing(stage: Stage, note: bytes) -> None:
    stage.s3.put_object(Bucket=TRANSFORMED, Key=f"outputs/{KEY}.json", Body=note)
    assert stage.transform("saved_tracks", [saved(1)]).deleted == ()


def test_plays_go_to_the_month_they_were_played_in(stage: Stage) -> None:
    stage.transform("recently_played", fixture_lines("recently_played", "extended"))
    stem = f"recently_played-{RUN}-00000.parquet"
    assert stage.keys("tables/plays/") == [f"tables/plays/month=2026-11/{stem}", f"tables/plays/month=2026-12/{stem}"]
    assert [[row["_line"] for row in table.to_pylist()] for table in stage.tables("plays")] == [[1], [2]]
    assert all("month" not in table.column_names for table in stage.tables("plays"))


@pytest.mark.slow
def test_plays_of_more_months_than_files_may_be_open(file_stage: FileStage) -> None:
    months = [f"{2008 + number // 12}-{number % 12 + 1:02}" for number in range(150)]
    track = {"type": "track", "uri": "spotify:track:t"}
    lines = [
        raw_line("recently_played", {"played_at": f"{month}-0{day}T12:00:00Z", "track": track})
        for day in (1, 2)
        for month in reversed(months)
    ]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/dev/fd").iterdir())) + 50, hard))
    try:
        file_stage.transform("recently_played", lines)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    rows = file_stage.rows("plays")
    assert [f"{row['played_at']:%Y-%m-%d}" for row in rows] == [f"{month}-0{day}" for month in months for day in (1, 2)]
    assert [row["_line"] for row in rows] == [line for at in range(150) for line in (150 - at, 300 - at)]


def test_a_month_that_is_stored_takes_no_memory_while_others_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[weakref.ref[pq.ParquetWriter]] = []

    def noting(*arguments: Any, **options: Any) -> pq.ParquetWriter:
        writer = pq.ParquetWriter(*arguments, **options)
        made.append(weakref.ref(writer))
        return writer

    monkeypatch.setattr(table_files, "pq", SimpleNamespace(ParquetWriter=noting))
    track = {"type": "track", "uri": "spotify:track:t"}
    lines = [
        raw_line("recently_played", {"played_at": f"{1900 + year}-01-01T12:00:00Z", "track": track})
        for year in range(50)
    ]
    files = TableFiles(tmp_path, {"month": "2026-11", "year": "2026"})
    transform_raw([compressed(lines)], RawKey("recently_played", RUN, 0), metadata_of(lines), files)
    held = [sum(writer() is not None for writer in made) for _ in files.finish()]
    assert len(held) == len(made) == 50
    assert max(held) < 10


def test_units_and_parts_do_not_overwrite_each_other(stage: Stage) -> None:
    for unit, part in (("a", 0), ("a", 1), ("b", 0)):
        stage.transformer.transform(
            stage.put_lines("playlist_items", [raw_line("playlist_items", {"item": None})], unit=unit, part=part)
        )
    assert len(stage.keys("tables/playlist_items/")) == 3


def test_a_truncated_object_keeps_what_stands_before_the_cut(stage: Stage) -> None:
    lines = [saved(number) for number in range(3000)]
    body = compressed(lines)[:-200]
    stage.put(KEY, body, {"read-id": READ, "account-id": "a", "lines": "3000"})

    result = stage.transformer.transform(KEY)

    rows = stage.rows("saved_tracks")
    assert [row["_line"] for row in rows] == list(range(1, len(rows) + 1))
    assert 2000 < len(rows) < 3000
    found = rejected(stage)
    assert found[0] == (0, "truncated")
    assert [reason for line, reason in found if line] in ([], ["not_json"])
    assert result.outputs.lines == len(rows) + result.outputs.rejected == len(rows) + len(found) - 1


def test_an_object_cut_behind_its_last_line_loses_no_row(stage: Stage) -> None:
    stage.put(KEY, compressed([saved(1), saved(2)])[:-4], {"account-id": "a", "lines": "2"})
    assert stage.transformer.transform(KEY).outputs.rows == {"tracks": 2, "saved_tracks": 2, "rejected_records": 1}
    assert rejected(stage) == [(0, "truncated")]


@pytest.mark.parametrize(
    ("body", "lines", "expected"),
    [
        (b"", "2", [(0, "empty")]),
        (b"plain text\n", "1", [(0, "not_gzip")]),
        (gzip.compress(b"", mtime=0), "0", []),
        (gzip.compress(b"", mtime=0), "3", [(0, "truncated")]),
        (compressed([saved(1)]), "2", [(0, "truncated")]),
        (compressed([saved(1)]), "0", [(0, "surplus")]),
        (compressed([saved(1)]), "many", []),
        (compressed([saved(1)]), None, []),
    ],
)
def test_what_is_wrong_with_an_object_is_a_row_of_line_0(
    stage: Stage, body: bytes, lines: str | None, expected: list[tuple[int, str]]
) -> None:
    metadata = {"read-id": READ, "account-id": "a"} | ({} if lines is None else {"lines": lines})
    stage.transformer.transform(stage.put(KEY, body, metadata))
    assert rejected(stage) == expected
    for row in stage.rows("rejected_records"):
        assert (row["account_id"], row["_read_id"], row["line"]) == ("a", READ, None)


@pytest.mark.parametrize(
    "key",
    sampled(
        [
            "raw/saved_tracks/dt=2026-11-24/20261123T060000Z-daily-00000.jsonl.gz",
            "raw/ü & more.jsonl.gz",
            "runs/mine.json",
            "raw/saved_tracks/dt=2026-11-23/mine.jsonl.gz",
            "raw/saved_tracks/dt=2026-13-45/20261345T060000Z-daily-00000.jsonl.gz",
        ],
        3,
    ),
)
def test_a_foreign_object_is_noted_and_its_key_never_becomes_one(stage: Stage, key: str) -> None:
    stage.s3.put_object(Bucket=RAW, Key=key, Body=b"whatever")
    created = stage.s3.head_object(Bucket=RAW, Key=key)["LastModified"]
    stage.now, day = created - timedelta(hours=1), created.date()

    assert stage.transformer.transform(key).outcome == "foreign"
    stage.transformer.transform(key)

    stem = hashlib.sha256(key.encode()).hexdigest()[:32]
    assert stage.keys("") == [
        f"outputs/foreign/{stem}.json",
        f"tables/rejected_records/year={day:%Y}/foreign-{stem}.parquet",
    ]
    (row,) = stage.rows("rejected_records")
    assert (row["_raw_key"], row["_line"], row["reason"], row["stream"]) == (key, 0, "foreign", None)
    assert row["dt"] == str(day)


def test_a_stream_of_another_version_is_noted_until_that_version_reads_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stem = f"saved_tracks-{RUN}-00000.parquet"
    with monkeypatch.context() as older_version:
        older_version.setattr("handlers.transform.transformer.STREAM_MAPPINGS", {})
        assert stage.transform("saved_tracks", [saved(1)]).outcome == "foreign"
    (row,) = stage.rows("rejected_records")
    assert (row["_raw_key"], row["_line"], row["reason"], row["stream"]) == (KEY, 0, "foreign", "saved_tracks")
    assert (row["account_id"], row["_run_id"], row["_read_id"]) == (ACCOUNT, RUN, READ)
    assert stage.keys("") == [f"outputs/{KEY}.json", f"tables/rejected_records/year=2026/{stem}"]

    result = stage.transformer.transform(KEY)

    assert (result.outcome, result.deleted) == ("transformed", (f"tables/rejected_records/year=2026/{stem}",))
    assert stage.keys() == [f"tables/saved_tracks/month=2026-11/{stem}", f"tables/tracks/month=2026-11/{stem}"]


def test_the_account_of_an_object_is_not_quoted_as_in_its_metadata(stage: Stage) -> None:
    stage.transformer.transform(stage.put(KEY, b"", {"account-id": "m%C3%BCller%251"}))
    assert [row["account_id"] for row in stage.rows("rejected_records")] == ["müller%1"]


def test_an_object_that_is_gone_is_done(stage: Stage) -> None:
    assert stage.transformer.transform(KEY).outcome == "gone"
    assert stage.keys("") == []


def test_an_object_outside_the_prefixes_is_left_alone(stage: Stage) -> None:
    stage.put("state/locks.json", b"{}")
    assert stage.transformer.transform("state/locks.json").outcome == "ignored"
    assert stage.keys("") == []


def test_what_s3_refuses_is_raised(stage: Stage) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        Transformer(stage.s3, "no-such-bucket", TRANSFORMED, lambda: ON_THE_DAY).transform(KEY)


def test_a_dead_connection_is_raised_and_nothing_is_stored(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.put_lines("saved_tracks", [saved(number) for number in range(100)])
    whole = stage.s3.get_object(Bucket=RAW, Key=KEY)
    cut = StreamingBody(io.BytesIO(whole["Body"].read()[:-10]), whole["ContentLength"])

    def get_object(**_: Any) -> dict[str, Any]:
        return {**whole, "Body": cut}

    monkeypatch.setattr(stage.s3, "get_object", get_object)
    with pytest.raises(IncompleteReadError):
        stage.transformer.transform(KEY)
    assert stage.keys("") == []


def test_each_request_is_needed(stage: Stage) -> None:
    stage.put_lines("saved_tracks", [saved(1)])
    asked: list[str] = []
    stage.s3.meta.events.register(
        "provide-client-params.s3", lambda model, **_: asked.append(model.name), unique_id="count"
    )
    try:
        stage.transformer.transform(KEY)
    finally:
        stage.s3.meta.events.unregister("provide-client-params.s3", unique_id="count")
    assert asked == ["GetObject", "PutObject", "PutObject", "GetObject", "PutObject"]


def test_rows_do_not_depend_on_where_blocks_are_cut(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[Any] = [saved(number) for number in range(300)]
    lines[100:102] = [b"no json", b""]
    stage.transform("saved_tracks", lines)
    whole = stage.rows("saved_tracks"), rejected(stage)
    monkeypatch.setattr(blocks_module, "BLOCK_BYTES", 5_000)
    monkeypatch.setattr(blocks_module, "MAX_LINE_BYTES", 4_000)
    stage.transform("saved_tracks", lines)
    assert (stage.rows("saved_tracks"), rejected(stage)) == whole
    assert json.loads(stage.body(f"outputs/{KEY}.json"))["lines"] == 300
