from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from handlers.tables import TABLES
from handlers.transform.schema import read_schema, table_schema
from handlers.transform.table_files import TableFiles

ARROW = {
    "string": "string",
    "int": "int32",
    "bigint": "int64",
    "boolean": "bool",
    "double": "double",
    "timestamp": "timestamp[ms]",
    "date": "date32[day]",
    "array<string>": "list<element: string>",
}
SAMPLES = {
    "string": "text",
    "int": 1,
    "bigint": 2**40,
    "boolean": True,
    "double": 0.5,
    "timestamp": dt.datetime(2026, 11, 23, 6, 0, 0, 1000),  # noqa: DTZ001 the column has no zone
    "date": dt.date(2026, 11, 23),
    "array<string>": ["a", "b"],
}
LOCAL_MILLISECONDS = (
    "TimestampType(isAdjustedToUTC=0, unit=TimeUnit(MILLIS=MilliSeconds(), MICROS=<null>, NANOS=<null>))"
)
"""As DuckDB shows the logical type of a timestamp without a time zone."""


@pytest.mark.parametrize("name", TABLES)
def test_a_parquet_file_has_the_columns_that_tables_says(name: str, tmp_path: Path) -> None:
    files = TableFiles(tmp_path, {"month": "2026-11", "year": "2026"})
    row = {column.name: SAMPLES[column.type] for column in TABLES[name].all_columns}
    files.add(name, pa.Table.from_pylist([row], schema=table_schema(name)))
    (file,) = files.finish()

    parquet = pq.ParquetFile(file.path)
    schema = parquet.schema_arrow
    assert [(field.name, str(field.type)) for field in schema] == [
        (column.name, ARROW[column.type]) for column in TABLES[name].all_columns
    ]
    # A crawler types by the converted type, Athena also by the logical one. pyarrow shows only the latter.
    footer = duckdb.execute("SELECT name, type, converted_type, logical_type FROM parquet_schema(?)", [str(file.path)])
    timestamps = {column.name for column in TABLES[name].all_columns if column.type == "timestamp"}
    assert timestamps
    assert {found[0]: found[1:] for found in footer.fetchall() if found[0] in timestamps} == dict.fromkeys(
        timestamps, ("INT64", "TIMESTAMP_MILLIS", LOCAL_MILLISECONDS)
    )
    assert {field.name for field in schema if not field.nullable} == set(TABLES[name].grain)
    assert parquet.read().to_pylist() == [row]
    assert {parquet.metadata.row_group(0).column(number).compression for number in range(len(schema))} == {"ZSTD"}
    assert (file.rows, file.partition) == (1, "2026-11" if TABLES[name].partition_key == "month" else "2026")


def test_a_null_in_the_grain_is_never_written(tmp_path: Path) -> None:
    files = TableFiles(tmp_path, {"month": "2026-11", "year": "2026"})
    row = {column.name: SAMPLES[column.type] for column in TABLES["playlists"].all_columns} | {"playlist_id": None}
    files.add("playlists", pa.Table.from_pylist([row], schema=table_schema("playlists")))

    with pytest.raises(pa.ArrowInvalid, match="playlist_id"):
        list(files.finish())


def test_both_names_of_an_entrys_object_are_read_alike() -> None:
    record = read_schema("playlist_items").field("record").type
    assert record.field("item").type == record.field("track").type
    assert {"album", "artists", "show", "resume_point"} <= {field.name for field in record.field("item").type}


def test_only_fields_that_feed_a_column_are_read() -> None:
    assert [field.name for field in read_schema("profile").field("record").type] == [
        "id",
        "uri",
        "display_name",
        "country",
        "email",
        "product",
        "followers",
        "images",
        "external_urls",
    ]


def test_the_same_rows_are_the_same_bytes(tmp_path: Path) -> None:
    written = []
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        files = TableFiles(tmp_path / folder, {"month": "2026-11", "year": "2026"})
        row = {column.name: SAMPLES[column.type] for column in TABLES["albums"].all_columns}
        for _ in range(3):
            files.add("albums", pa.Table.from_pylist([row], schema=table_schema("albums")))
        written.append(io.BytesIO(next(files.finish()).path.read_bytes()).getvalue())
    assert written[0] == written[1]
