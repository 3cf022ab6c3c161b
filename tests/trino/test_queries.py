"""Tables, views and named queries have the same results in Trino as in the embedded Athena."""

from __future__ import annotations

import base64
import json
import re

import pytest
import time_machine

from handlers.tables import TABLES
from tests.e2e.world import World
from tests.queries.lake import NAMED, VIEWS
from tests.trino.results import Result, differences, from_athena
from tests.trino.server import TrinoServer

pytestmark = pytest.mark.trino


def compare(trino: TrinoServer, world: World, sql: str) -> tuple[Result, list[str]]:
    """Run a query in both engines and return Trino's result and the differences."""
    database = world.outputs["glue_database_name"]
    of_trino = trino.query(sql, database=database)
    assert of_trino.now
    # Both have the same current_timestamp.
    with time_machine.travel(of_trino.now, tick=False):
        of_athena = from_athena(
            world.cloud.client("athena"), sql, database=database, workgroup=world.outputs["athena_workgroup_name"]
        )
    return of_trino, differences(of_athena, of_trino, sql)


@pytest.mark.parametrize("name", [*TABLES, *VIEWS])
def test_table_or_view_has_the_same_rows(trino: TrinoServer, read_world: World, name: str) -> None:
    result, different = compare(trino, read_world, f'SELECT * FROM "{name}"')
    assert different == []
    assert result.rows


@pytest.mark.parametrize("name", VIEWS)
def test_query_of_a_view_has_the_types_that_the_view_declares(trino: TrinoServer, read_world: World, name: str) -> None:
    database = read_world.outputs["glue_database_name"]
    table = read_world.cloud.client("glue").get_table(DatabaseName=database, Name=name)["Table"]
    text = table["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    view = json.loads(base64.b64decode(text))

    # Through the view they would be as declared, whatever the query returns.
    result = trino.query(f"SELECT * FROM (\n{view['originalSql']}\n) LIMIT 0", database=database)

    given = zip((column for column, _ in result.columns), result.trino_types, strict=True)
    assert [(column, re.sub(r"varchar\(\d+\)", "varchar", kind)) for column, kind in given] == [
        (column["name"], column["type"]) for column in view["columns"]
    ]


@pytest.mark.parametrize("name", NAMED)
def test_named_query_has_the_same_result(trino: TrinoServer, read_world: World, name: str) -> None:
    identifier = read_world.outputs["named_queries"][name]
    query = read_world.cloud.client("athena").get_named_query(NamedQueryId=identifier)["NamedQuery"]
    _, different = compare(trino, read_world, query["QueryString"])
    assert different == []


def test_nothing_went_wrong_on_the_way(read_world: World) -> None:
    assert read_world.errors() == []
