"""Columns of Parquet objects are read as Trino reads them, whichever types a stranger's writer gave them."""

from __future__ import annotations

import io

import polars as pl
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
