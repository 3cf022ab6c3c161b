"""Trino reads columns of Parquet objects as recorded."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.embedded_aws.athena_lab import DATABASE, Lab
from tests.embedded_aws.parquet_cases import CASES, ParquetCase, query, store
from tests.trino.server import TrinoQueryError, TrinoServer

pytestmark = pytest.mark.trino


@pytest.fixture(scope="module")
def lab(trino: TrinoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("parquet")) as running, trino.reading(running.server):
        store(running)
        yield running


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_trino_reads_a_column_as_recorded(trino: TrinoServer, case: ParquetCase) -> None:
    if case.error:
        with pytest.raises(TrinoQueryError, match=case.error):
            trino.query(query(case), database=DATABASE, precise=False)
    else:
        rows = trino.query(query(case), database=DATABASE, precise=False).rows
        assert rows == ((case.value,), (None,))
