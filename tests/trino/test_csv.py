"""Trino reads lines of CSV as recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded_aws.athena_lab import DATABASE, LAKE, Lab
from tests.embedded_aws.csv_cases import CASES, declared, line_objects
from tests.trino.server import TrinoServer

pytestmark = pytest.mark.trino


@pytest.fixture(scope="module")
def lab(trino: TrinoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("csv")
    with Lab(folder) as running, trino.reading(running.server):
        yield running


def test_trino_returns_the_recorded_fields(trino: TrinoServer, lab: Lab) -> None:
    assert lab.run(declared())["Status"]["State"] == "SUCCEEDED"
    for key, content in line_objects().items():
        lab.client("s3").put_object(Bucket=LAKE, Key=key, Body=content)
    found = trino.query('SELECT a, b, c FROM lines ORDER BY "$path"', database=DATABASE, precise=False).rows
    assert list(zip([line for line, _ in CASES], found, strict=True)) == CASES
