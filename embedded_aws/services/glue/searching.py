"""SearchTables, which moto does not implement.

Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html#aws-glue-api-catalog-tables-SearchTables
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.glue.exceptions import InvalidInputException
from moto.glue.models import FakeTable
from moto.glue.responses import GlueResponse

from embedded_aws.server.paging import GLUE, page_of

_DESCRIBED = ("Name", "DatabaseName", "Description", "Owner", "TableType")
"""What the text of a search is looked for in, beside columns and parameters."""


def _search_tables(response: GlueResponse) -> Any:
    given = response.parameters
    if given.get("SortCriteria"):
        raise InvalidInputException(
            "SearchTables", "The embedded AWS returns found tables by name: leave SortCriteria out."
        )
    text, filters = given.get("SearchText") or "", given.get("Filters") or []
    found = [
        table
        for database in response.glue_backend.databases.values()
        for table in map(_described, database.tables.values())
        if _holds(table, text) and all(_matches(table, one) for one in filters)
    ]
    found.sort(key=lambda table: (table["DatabaseName"], table["Name"]))
    return ActionResult(page_of(response, {"TableList": found}, "TableList", GLUE))


def _described(table: FakeTable) -> dict[str, Any]:
    described: dict[str, Any] = table.as_dict()
    return described


def _holds(table: Mapping[str, Any], text: str) -> bool:
    """Return whether a table contains a text; one in quotation marks is a whole value."""
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        return text[1:-1].lower() in (value.lower() for value in _texts(table))
    return any(text.lower() in value.lower() for value in _texts(table))


def _texts(table: Mapping[str, Any]) -> Iterator[str]:
    yield from (str(table[name]) for name in _DESCRIBED if table.get(name))
    descriptor = table.get("StorageDescriptor") or {}
    for column in [*descriptor.get("Columns", ()), *table.get("PartitionKeys", ())]:
        yield from (column["Name"], column.get("Comment") or "")
    for name, value in (table.get("Parameters") or {}).items():
        yield from (name, str(value))


def _matches(table: Mapping[str, Any], condition: Mapping[str, str]) -> bool:
    key, wanted = condition["Key"], condition.get("Value", "")
    names = {name.lower(): name for name in (*_DESCRIBED, "CreateTime", "UpdateTime")}
    found = table.get(names.get(key.lower(), ""), (table.get("Parameters") or {}).get(key))
    if condition.get("Comparator", "EQUALS") != "EQUALS":
        raise InvalidInputException("SearchTables", "The embedded AWS compares filters of a search with EQUALS only.")
    return found is not None and str(found).lower() == wanted.lower()


REPLACEMENTS: dict[tuple[type, str], Any] = {(GlueResponse, "search_tables"): _search_tables}
"""Class of moto and name of its method → what replaces it."""
