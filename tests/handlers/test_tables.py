"""The tables' columns against those that were released: people's queries rely on them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from handlers.streams import STREAMS
from handlers.tables import SCHEMA_VERSION, TABLES
from handlers.transform.schema import arrow_type

RELEASED: dict[str, dict[str, str]] = json.loads((Path(__file__).parent / "released_schemas.json").read_text("utf-8"))
"""Name and type of every column of every released table; a release adds to it and takes nothing away."""
RELEASED_VERSION = 1
"""`SCHEMA_VERSION` of the newest release."""


@pytest.mark.parametrize("table", RELEASED)
def test_released_column_is_still_there_with_its_type(table: str) -> None:
    columns = {column.name: column.type for column in TABLES[table].all_columns}
    columns[TABLES[table].partition_key] = "string"
    assert {name: columns.get(name) for name in RELEASED[table]} == RELEASED[table]


@pytest.mark.parametrize("table", TABLES)
def test_grain_is_made_of_columns(table: str) -> None:
    assert set(TABLES[table].grain) <= {column.name for column in TABLES[table].all_columns}


@pytest.mark.parametrize("table", TABLES)
def test_columns_have_one_meaning_each(table: str) -> None:
    columns = TABLES[table].all_columns
    assert len({column.name for column in columns}) == len(columns)
    assert all(column.doc.endswith((".", "…")) and "\n" not in column.doc for column in columns)


def test_every_stream_has_its_table() -> None:
    assert {stream.table for stream in STREAMS.values()} <= TABLES.keys()


def test_a_file_of_the_released_version_has_the_columns_that_were_released() -> None:
    released = pq.read_schema(Path(__file__).parent / f"released_plays.{RELEASED_VERSION}.parquet")
    assert {*released.names, "month"} == RELEASED["plays"].keys()
    assert {name: released.field(name).type for name in released.names} == {
        column.name: arrow_type(column) for column in TABLES["plays"].all_columns if column.name in released.names
    }


def test_columns_that_no_release_had_come_with_a_higher_schema_version() -> None:
    columns = {name: {column.name for column in table.all_columns} for name, table in TABLES.items()}
    new = {name for name in TABLES if columns[name] - RELEASED.get(name, {}).keys()}
    assert not new or SCHEMA_VERSION > RELEASED_VERSION
