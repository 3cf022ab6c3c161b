"""Columns of Parquet objects are read as Trino reads them, whichever types a stranger's writer gave them."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.embedded_aws.athena_lab import LAKE, Lab
from tests.embedded_aws.parquet_cases import CASES, ParquetCase, query, store


@pytest.fixture(scope="module")
def lab(one_lab: Lab) -> Lab:
    """Return the lab with a table for each case."""
    one_lab.empty()
    store(one_lab)
    return one_lab


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_column_is_read_as_by_trino(lab: Lab, case: ParquetCase) -> None:
    if not case.error:
        assert lab.query(query(case)) == [(case.value,), (None,)]
        return
    reason = lab.run(query(case))["Status"]["StateChangeReason"]
    expected = "HIVE_BAD_DATA: Field found's type" if case.error == "NOT_SUPPORTED" else case.error
    assert reason.startswith(expected)


def test_a_file_of_polars_is_read(lab: Lab) -> None:
    lab.table("polars", {"name": "string", "genres": "array<string>", "kind": "string", "plays": "int"}, keys=())
    content = io.BytesIO()
    kinds = pl.Series(["single", "album"], dtype=pl.Categorical)
    frame = {"name": ["a", None], "genres": [["x", "y"], None], "kind": kinds, "plays": [1, 2]}
    pl.DataFrame(frame).write_parquet(content)
    lab.client("s3").put_object(Bucket=LAKE, Key="tables/polars/1.parquet", Body=content.getvalue())
    assert lab.query("SELECT * FROM polars ORDER BY plays") == [
        ("a", "[x, y]", "single", "1"),
        (None, None, "album", "2"),
    ]


def put(lab: Lab, key: str, columns: dict[str, Any], **options: Any) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table(columns), content, **options)
    lab.client("s3").put_object(Bucket=LAKE, Key=f"tables/{key}", Body=content.getvalue())


def test_a_value_out_of_range_fails_only_who_reads_its_column(lab: Lab) -> None:
    lab.table("ranges", {"x": "smallint", "y": "string", "z": "int"}, keys=())
    put(lab, "ranges/1.parquet", {"x": pa.array([99_999], pa.int32()), "y": ["a"], "z": pa.array([1], pa.int32())})
    put(lab, "ranges/2.parquet", {"x": pa.array([7], pa.int32()), "y": [b"\xff"], "z": pa.array([2], pa.int32())})
    for _ in range(2):
        assert lab.query("SELECT sum(z), count(*) FROM ranges") == [("3", "2")]
        reasons = [lab.run(f"SELECT {column} FROM ranges")["Status"]["StateChangeReason"] for column in ("x", "y")]
        assert reasons == [
            f"GENERIC_INTERNAL_ERROR: Value 99999 exceeds short range: s3://{LAKE}/tables/ranges/1.parquet",
            f"HIVE_BAD_DATA: Bytes of a column are no text in UTF-8: s3://{LAKE}/tables/ranges/2.parquet",
        ]


@pytest.mark.parametrize("first_is_old", [True, False])
def test_old_timestamps_are_told_from_integers_in_each_object(lab: Lab, *, first_is_old: bool) -> None:
    name = f"moments_{first_is_old}".lower()
    lab.table(name, {"x": "bigint"}, keys=())
    moments = pa.array([datetime(2026, 1, 1)], pa.timestamp("ns"))  # noqa: DTZ001 - Parquet's timestamp without a zone
    for number, is_old in enumerate((first_is_old, not first_is_old)):
        put(lab, f"{name}/{number}.parquet", {"x": moments}, use_deprecated_int96_timestamps=is_old)
    reason = lab.run(f"SELECT x FROM {name}")["Status"]["StateChangeReason"]
    assert reason.startswith("HIVE_BAD_DATA: Field x's type timestamp[ns]")
    assert reason.endswith(f"{name}/{0 if first_is_old else 1}.parquet")


def test_parts_of_rows_are_found_whatever_their_order_and_capitals(lab: Lab) -> None:
    lab.table("rows", {"x": "array<struct<a:int,b:string,c:timestamp>>"}, keys=())
    stored = pa.list_(pa.struct([("B", pa.large_string()), ("extra", pa.int8()), ("A", pa.int64())]))
    put(lab, "rows/1.parquet", {"x": pa.array([[{"B": "x", "A": 1}, None], None, []], stored)})
    assert lab.query("SELECT x FROM rows") == [("[{a=1, b=x, c=null}, null]",), (None,), ("[]",)]
