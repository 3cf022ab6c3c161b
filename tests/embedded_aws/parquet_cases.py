"""Columns of Parquet objects and the types that a catalog may give them, with what Trino 476 returns for each."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.embedded_aws.athena_lab import LAKE, Lab

_MOMENT = datetime(2026, 1, 1)  # noqa: DTZ001 - Parquet's timestamp without a zone
_LETTERS = pa.array(["a", None], pa.large_string())


@dataclass(frozen=True)
class ParquetCase:
    """A column of one value and a null."""

    name: str
    column: Any
    """An Arrow array."""
    hive: str
    """The column's type in the catalog."""
    value: str | None = None
    """The value's text; None if it cannot be read."""
    error: str = ""
    """How Trino's error begins; of what its reader does not support at all Athena says HIVE_BAD_DATA."""
    is_old: bool = False
    """Whether timestamps are stored as Spark and Hive do."""


CASES = [
    ParquetCase("string_view", pa.array(["a", None], pa.string_view()), "string", "a"),
    ParquetCase("binary_view", pa.array([b"a", None], pa.binary_view()), "binary", "61"),
    ParquetCase("large_list", pa.array([[1, 2], None], pa.large_list(pa.int32())), "array<int>", "[1, 2]"),
    ParquetCase("fixed_size_list", pa.array([[1, 2], None], pa.list_(pa.int32(), 2)), "array<int>", "[1, 2]"),
    ParquetCase(
        "large_list_of_views", pa.array([["a"], None], pa.large_list(pa.string_view())), "array<string>", "[a]"
    ),
    ParquetCase(
        "struct_of_large_lists",
        pa.array([{"a": ["x"]}, None], pa.struct([("a", pa.large_list(pa.string_view()))])),
        "struct<a:array<string>>",
        "{a=[x]}",
    ),
    ParquetCase(
        "map_of_views",
        pa.array([[("k", "x")], None], pa.map_(pa.large_string(), pa.string_view())),
        "map<string,string>",
        "{k=x}",
    ),
    ParquetCase("longer_text", pa.array(["Motörhead", None]), "varchar(5)", "Motör"),
    ParquetCase("text_of_more_units", pa.array(["🎸🎸🎸", None]), "varchar(2)", "🎸🎸"),
    ParquetCase("shorter_text", pa.array(["ab", None]), "varchar(5)", "ab"),
    ParquetCase("longer_text_in_an_array", pa.array([["Motörhead"], None]), "array<varchar(5)>", "[Motör]"),
    ParquetCase(
        "longer_text_in_a_row",
        pa.array([{"a": "Motörhead", "b": "Motörhead"}, None]),
        "struct<a:varchar(5),b:string>",
        "{a=Motör, b=Motörhead}",
    ),
    ParquetCase(
        "longer_text_in_a_map",
        pa.array([[("Motörhead", ["Motörhead"])], None], pa.map_(pa.string(), pa.list_(pa.string()))),
        "map<string,array<varchar(2)>>",
        "{Motörhead=[Mo]}",
    ),
    ParquetCase("dictionary", _LETTERS.dictionary_encode(), "string", "a"),
    ParquetCase("fixed_size_binary", pa.array([b"abcd", None], pa.binary(4)), "binary", "61 62 63 64"),
    ParquetCase("string_as_binary", pa.array(["x", None]), "binary", "78"),
    ParquetCase("binary_as_string", pa.array([b"x", None]), "string", "x"),
    ParquetCase("uint8_as_tinyint", pa.array([1, None], pa.uint8()), "tinyint", "1"),
    ParquetCase("uint8_as_smallint", pa.array([200, None], pa.uint8()), "smallint", "200"),
    ParquetCase("uint16_as_int", pa.array([40_000, None], pa.uint16()), "int", "40000"),
    ParquetCase(
        "uint16_as_smallint",
        pa.array([40_000, None], pa.uint16()),
        "smallint",
        error="GENERIC_INTERNAL_ERROR: Value 40000 exceeds short range",
    ),
    ParquetCase("uint32_as_bigint", pa.array([4_000_000_000, None], pa.uint32()), "bigint", "-294967296"),
    ParquetCase("uint32_as_int", pa.array([4_000_000_000, None], pa.uint32()), "int", "-294967296"),
    ParquetCase("uint64_as_bigint", pa.array([2**63 + 5, None], pa.uint64()), "bigint", "-9223372036854775803"),
    ParquetCase("int32_as_smallint", pa.array([7, None], pa.int32()), "smallint", "7"),
    ParquetCase(
        "large_int32_as_tinyint",
        pa.array([128, None], pa.int32()),
        "tinyint",
        error="GENERIC_INTERNAL_ERROR: Value 128 exceeds byte range",
    ),
    ParquetCase("int64_as_int", pa.array([5, None], pa.int64()), "int", "5"),
    ParquetCase("int64_as_smallint", pa.array([5, None], pa.int64()), "smallint", "5"),
    ParquetCase(
        "large_int64_as_int",
        pa.array([2**40, None], pa.int64()),
        "int",
        error="GENERIC_INTERNAL_ERROR: integer overflow",
    ),
    ParquetCase("time_as_bigint", pa.array([time(1, 2, 3), None], pa.time64("us")), "bigint", "3723000000"),
    ParquetCase("duration_as_bigint", pa.array([timedelta(seconds=1), None], pa.duration("us")), "bigint", "1000000"),
    ParquetCase(
        "nanoseconds_as_bigint", pa.array([_MOMENT, None], pa.timestamp("ns")), "bigint", "1767225600000000000"
    ),
    ParquetCase("milliseconds_as_bigint", pa.array([_MOMENT, None], pa.timestamp("ms")), "bigint", "1767225600000"),
    ParquetCase("nanoseconds", pa.array([_MOMENT, None], pa.timestamp("ns")), "timestamp", "2026-01-01 00:00:00.000"),
    ParquetCase(
        "zone",
        pa.array([_MOMENT, None], pa.timestamp("us", tz="Europe/Berlin")),
        "timestamp",
        "2026-01-01 00:00:00.000",
    ),
    ParquetCase(
        "int96", pa.array([_MOMENT, None], pa.timestamp("ns")), "timestamp", "2026-01-01 00:00:00.000", is_old=True
    ),
    ParquetCase(
        "rounded_up", pa.array([1_499_999_500, None], pa.timestamp("ns")), "timestamp", "1970-01-01 00:00:01.500"
    ),
    ParquetCase("half", pa.array([1_500, None], pa.timestamp("us")), "timestamp", "1970-01-01 00:00:00.002"),
    ParquetCase("rounded_down", pa.array([1_499, None], pa.timestamp("us")), "timestamp", "1970-01-01 00:00:00.001"),
    ParquetCase("before_1970", pa.array([-1_501, None], pa.timestamp("us")), "timestamp", "1969-12-31 23:59:59.998"),
    ParquetCase(
        "half_before_1970", pa.array([-1_500, None], pa.timestamp("us")), "timestamp", "1969-12-31 23:59:59.999"
    ),
    ParquetCase(
        "rounded_int96",
        pa.array([1_600_000, None], pa.timestamp("ns")),
        "timestamp",
        "1970-01-01 00:00:00.002",
        is_old=True,
    ),
    ParquetCase(
        "capital",
        pa.array([{"UserId": 1}, None], pa.struct([("UserId", pa.int64())])),
        "struct<userid:bigint>",
        "{userid=1}",
    ),
    ParquetCase(
        "capital_in_list",
        pa.array([[{"UserId": 1}], None], pa.list_(pa.struct([("UserId", pa.int32())]))),
        "array<struct<UserId:bigint>>",
        "[{userid=1}]",
    ),
    ParquetCase("nested_int64_as_int", pa.array([[1], None], pa.list_(pa.int64())), "array<int>", "[1]"),
    ParquetCase("nested_uint8_as_int", pa.array([[1], None], pa.list_(pa.uint8())), "array<int>", "[1]"),
    ParquetCase("nested_binary", pa.array([[b"x"], None], pa.list_(pa.binary())), "array<string>", "[x]"),
    ParquetCase(
        "nested_moment",
        pa.array([[1_500], None], pa.list_(pa.timestamp("us"))),
        "array<timestamp>",
        "[1970-01-01 00:00:00.002]",
    ),
    ParquetCase("json", pa.array(['{"a": 1}', None], pa.json_()), "string", '{"a": 1}'),
    ParquetCase(
        "uuid",
        pa.array([b"0123456789abcdef", None], pa.uuid()),
        "binary",
        "30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66",
    ),
    ParquetCase("bool8", pa.array([1, None], pa.bool8()), "tinyint", "1"),
    ParquetCase("date64", pa.array([date(2026, 1, 1), None], pa.date64()), "date", "2026-01-01"),
    ParquetCase("large_decimal", pa.array([Decimal("1.50"), None], pa.decimal256(20, 2)), "decimal(20,2)", "1.50"),
    ParquetCase("nulls", pa.nulls(2), "int", None),
    ParquetCase("float16", pa.array([1.5, None], pa.float16()), "float", error="NOT_SUPPORTED"),
    ParquetCase("time32_as_int", pa.array([time(1, 2, 3), None], pa.time32("ms")), "int", error="NOT_SUPPORTED"),
    ParquetCase("date_as_int", pa.array([date(2026, 1, 1), None], pa.date32()), "int", error="NOT_SUPPORTED"),
    ParquetCase(
        "int96_as_bigint", pa.array([_MOMENT, None], pa.timestamp("ns")), "bigint", error="NOT_SUPPORTED", is_old=True
    ),
]


def query(case: ParquetCase) -> str:
    """Return the query of a case."""
    return f'SELECT found FROM "{case.name}"'


def store(lab: Lab) -> None:
    """Write an object and register a table for each case."""
    for case in CASES:
        lab.table(case.name, {"found": case.hive}, keys=())
        content = io.BytesIO()
        pq.write_table(pa.table({"found": case.column}), content, use_deprecated_int96_timestamps=case.is_old)
        lab.client("s3").put_object(Bucket=LAKE, Key=f"tables/{case.name}/1.parquet", Body=content.getvalue())
