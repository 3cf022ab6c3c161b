"""The Glue database: what it holds, and how missing tables and columns get into it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from handlers.publish import glue_types

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import TableInputTypeDef

    from handlers.tables import Table

_TABLE_INPUT = (
    "Name",
    "Description",
    "Owner",
    "Retention",
    "StorageDescriptor",
    "PartitionKeys",
    "ViewOriginalText",
    "ViewExpandedText",
    "TableType",
    "Parameters",
)
"""What UpdateTable takes back of what GetTable tells."""


@dataclass
class Mended:
    """What had to be done to the tables.

    Attributes:
        created: tables that were missing.
        added: table → columns that were missing.
        conflicts: what cannot be mended: a column never changes its type.
    """

    created: list[str] = field(default_factory=list)
    added: dict[str, list[str]] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)


class Catalog:
    """The tables and views of one Glue database, read once.

    Args:
        glue: the client.
        database: its name.
    """

    def __init__(self, glue: GlueClient, database: str) -> None:
        self._glue = glue
        self._database = database
        pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
        self._tables: dict[str, Mapping[str, Any]] = {
            table["Name"]: table for page in pages for table in page["TableList"]
        }

    def mend(self, tables: Iterable[Table], bucket: str) -> Mended:
        """Make missing tables and add missing columns.

        Args:
            tables: what the database should hold.
            bucket: where their files lie.
        """
        mended = Mended()
        for table in tables:
            if table.name not in self._tables:
                try:
                    self._glue.create_table(
                        DatabaseName=self._database, TableInput=glue_types.table_input(table, bucket)
                    )
                    mended.created.append(table.name)
                except self._glue.exceptions.AlreadyExistsException:
                    pass  # A crawl was quicker: its table is mended below.
                self._read(table.name)
            self._mend_columns(table, mended)
        return mended

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        """Return name and type of a table's columns, partition keys last; None where there is no such table."""
        found = self._tables.get(table)
        if found is None or found.get("TableType") == "VIRTUAL_VIEW":
            return None
        described = [*found["StorageDescriptor"]["Columns"], *found.get("PartitionKeys", [])]
        return [(column["Name"], column["Type"]) for column in described]

    def view_parameters(self, view: str) -> Mapping[str, str]:
        """Return the parameters of a view; none where there is no such view."""
        found = self._tables.get(view, {})
        parameters: Mapping[str, str] = found.get("Parameters", {}) if found.get("TableType") == "VIRTUAL_VIEW" else {}
        return parameters

    def annotate(self, view: str, description: str, parameters: Mapping[str, str]) -> None:
        """Add a description and parameters to a view that Athena has just made."""
        changed = _table_input(self._read(view))
        changed["Description"] = description
        changed["Parameters"] = {**changed.get("Parameters", {}), **parameters}
        self._glue.update_table(DatabaseName=self._database, TableInput=cast("TableInputTypeDef", changed))

    def _read(self, table: str) -> Mapping[str, Any]:
        self._tables[table] = self._glue.get_table(DatabaseName=self._database, Name=table)["Table"]
        return self._tables[table]

    def _mend_columns(self, table: Table, mended: Mended) -> None:
        present = self._tables[table.name]
        if present.get("TableType") == "VIRTUAL_VIEW":
            mended.conflicts.append(f"{table.name} is a view where the table should be; drop it")
            return
        descriptor = present["StorageDescriptor"]
        known = {column["Name"]: column["Type"] for column in descriptor["Columns"]}
        keys = {key["Name"]: key["Type"] for key in present.get("PartitionKeys", [])}
        mended.conflicts += _conflicts(table.name, glue_types.columns(table), known)
        mended.conflicts += _conflicts(table.name, glue_types.partition_keys(table), keys, required=True)
        missing = [column for column in glue_types.columns(table) if column["Name"] not in known]
        if not missing:
            return
        changed = _table_input(present)
        changed["StorageDescriptor"] = {**descriptor, "Columns": [*descriptor["Columns"], *missing]}
        self._glue.update_table(DatabaseName=self._database, TableInput=cast("TableInputTypeDef", changed))
        mended.added[table.name] = [column["Name"] for column in missing]
        self._tables[table.name] = {**present, **changed}


def _conflicts(
    table: str, wanted: Iterable[Mapping[str, Any]], present: Mapping[str, str], *, required: bool = False
) -> list[str]:
    found = []
    for column in wanted:
        name, kind = column["Name"], column["Type"]
        if name not in present:
            if required:
                found.append(f"{table} is not partitioned by {name}")
        elif present[name].lower() != kind:
            found.append(f"{table}.{name} is {present[name]} in the catalog and {kind} in the files")
    return found


def _table_input(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: table[key] for key in _TABLE_INPUT if key in table}
