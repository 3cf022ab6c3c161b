"""Column types, read from Hive and DuckDB and written for Hive, Trino and DuckDB."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.types import from_duckdb, from_hive


@pytest.mark.parametrize(
    ("hive", "trino", "arrow"),
    [
        ("int", "integer", pa.int32()),
        ("float", "real", pa.float32()),
        ("varchar(10)", "varchar", pa.string()),
        ("binary", "varbinary", pa.binary()),
        ("timestamp", "timestamp(3)", pa.timestamp("ms")),
        ("decimal", "decimal(10, 0)", pa.decimal128(10, 0)),
        ("decimal(5)", "decimal(5, 0)", pa.decimal128(5, 0)),
        ("map<string,array<double>>", "map(varchar, array(double))", pa.map_(pa.string(), pa.list_(pa.float64()))),
        (
            "struct<A: int, timestamp:timestamp>",
            "row(a integer, timestamp timestamp(3))",
            pa.struct([("a", pa.int32()), ("timestamp", pa.timestamp("ms"))]),
        ),
        (
            "array<struct<select:date,a-b:decimal(12,3)>>",
            'array(row("select" date, "a-b" decimal(12, 3)))',
            pa.list_(pa.struct([("select", pa.date32()), ("a-b", pa.decimal128(12, 3))])),
        ),
    ],
)
def test_hive_type_in_the_other_languages(hive: str, trino: str, arrow: pa.DataType) -> None:
    kind = from_hive(hive)
    assert (kind.trino, kind.arrow) == (trino, arrow)
    assert from_hive(kind.hive) == kind
    described = duckdb.connect().execute(f"SELECT CAST(NULL AS {kind.duckdb})").description
    assert described
    assert from_duckdb(described[0][1]) == kind


@pytest.mark.parametrize(
    "hive",
    ["", "char(3)", "long", "uniontype<int>", "array", "array<>", "array<text>", "array<int", "map<string>", "int[]"],
)
def test_type_that_hive_does_not_have_is_refused(hive: str) -> None:
    with pytest.raises(QueryError, match="NOT_SUPPORTED: Hive type"):
        from_hive(hive)
