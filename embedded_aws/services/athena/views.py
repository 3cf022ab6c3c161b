"""Views as Athena stores them in the Glue catalog.

Source: https://github.com/trinodb/trino/blob/master/plugin/trino-hive/src/main/java/io/trino/plugin/hive/ViewReaderUtil.java
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.types import SqlType

CATALOG = "awsdatacatalog"
_START, _END = "/* Presto View: ", " */"


@dataclass(frozen=True)
class ViewDefinition:
    """The definition of a view."""

    sql: str
    """The query."""

    database: str
    """The database of unqualified names."""

    columns: tuple[tuple[str, str], ...]
    """Name and Trino type of each column."""


def is_view(table: Mapping[str, Any]) -> bool:
    """Return whether a Glue table is an Athena view."""
    return table.get("TableType") == "VIRTUAL_VIEW" and table.get("Parameters", {}).get("presto_view") == "true"


def encode(name: str, sql: str, database: str, columns: list[tuple[str, SqlType]]) -> dict[str, Any]:
    """Return the `TableInput` of a view.

    Raises:
        QueryError: Hive has no type for a column.
    """
    definition = {
        "originalSql": sql,
        "catalog": CATALOG,
        "schema": database,
        "columns": [{"name": column, "type": kind.trino} for column, kind in columns],
    }
    text = base64.b64encode(json.dumps(definition).encode()).decode()
    return {
        "Name": name,
        # Trino rejects a view without an owner.
        "Owner": "hadoop",
        "Retention": 0,
        "StorageDescriptor": {
            "Columns": [{"Name": column, "Type": kind.hive} for column, kind in columns],
            "Location": "",
            "Compressed": False,
            "NumberOfBuckets": 0,
            "SerdeInfo": {},
            "SortColumns": [],
            "StoredAsSubDirectories": False,
        },
        "PartitionKeys": [],
        "ViewOriginalText": f"{_START}{text}{_END}",
        "ViewExpandedText": "/* Presto View */",
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
    }


def decode(table: Mapping[str, Any]) -> ViewDefinition:
    """Return a view's definition, read from its Glue table.

    Raises:
        QueryError: the table does not hold one.
    """
    text = table.get("ViewOriginalText", "")
    if not (text.startswith(_START) and text.endswith(_END)):
        raise QueryError("HIVE_INVALID_VIEW_DATA", f"View data missing prefix or suffix: {table['Name']}")
    definition = json.loads(base64.b64decode(text[len(_START) : -len(_END)]))
    columns = tuple((column["name"], column["type"]) for column in definition["columns"])
    return ViewDefinition(definition["originalSql"], definition["schema"], columns)
