"""The Glue database: its tables and views, and how it gets missing tables, columns and partitions."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from botocore.model import StructureShape

from handlers.publish import glue_types
from handlers.tables import Table

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import PartitionInputTypeDef, StorageDescriptorTypeDef, TableInputTypeDef


_DEPRECATED = "DEPRECATED_BY_CRAWLER"
"""Parameter that a crawler gives to a table whose files it can no longer match."""

_PARTITIONS_AT_ONCE = 100
"""As many as BatchCreatePartition accepts."""

_CONCURRENCY_WAITS = (1, 2, 4)
"""Seconds before the next try to change a table that somebody else, such as a crawl, is changing."""


@dataclass
class CatalogChanges:
    """The changes made to the tables."""

    created: list[str] = field(default_factory=list)
    """Tables that were missing."""
    added: dict[str, list[str]] = field(default_factory=dict)
    """Table → columns that were missing."""
    rekeyed: dict[str, str] = field(default_factory=dict)
    """Table → partition key that it has instead of the earlier one."""
    registered: dict[str, list[str]] = field(default_factory=dict)
    """Table → partitions that were missing: those that moved rows will get, and those of today and the next days."""


class GlueDatabase:
    """The tables and views of one Glue database, read once.

    Args:
        glue: the client.
        name: name of the database.
    """

    def __init__(self, glue: GlueClient, name: str) -> None:
        self.unregistered: list[str] = []
        """A sentence for each partition that Glue has not accepted; the next run tries again."""
        self._glue = glue
        self._name = name
        pages = glue.get_paginator("get_tables").paginate(DatabaseName=name)
        self._tables: dict[str, Mapping[str, Any]] = {
            table["Name"]: table for page in pages for table in page["TableList"]
        }

    def reconcile(self, tables: Iterable[Table], bucket: str, changes: CatalogChanges) -> list[str]:
        """Create missing tables, add missing columns and register the partitions that are about to get rows.

        Args:
            tables: the tables that the database should have.
            bucket: contains their files.
            changes: each change is added to it once it is made, so it is known even if AWS refuses the next one.

        Returns:
            Differences that are reported but not resolved, since a column never changes its type.
        """
        conflicts: list[str] = []
        for table in tables:
            if table.name not in self._tables:
                try:
                    self._glue.create_table(DatabaseName=self._name, TableInput=glue_types.table_input(table, bucket))
                    changes.created.append(table.name)
                except self._glue.exceptions.AlreadyExistsException:
                    pass  # A crawl got there first; its table may be missing columns, which are added below.
                self._read(table.name)
            conflicts += self._reconcile_table(table, glue_types.location(table, bucket), changes)
            conflicts += self._crawler_conflicts(table.name)
        return conflicts

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        """Return name and type of a table's columns, partition keys last, or None if there is no such table."""
        found = self._tables.get(table)
        if found is None or found.get("TableType") == "VIRTUAL_VIEW":
            return None
        described = [*found["StorageDescriptor"]["Columns"], *found.get("PartitionKeys", [])]
        return [(column["Name"], column["Type"]) for column in described]

    def view_parameters(self, view: str) -> Mapping[str, str]:
        """Return the parameters of a view, empty if there is no such view."""
        found = self._tables.get(view, {})
        parameters: Mapping[str, str] = found.get("Parameters", {}) if found.get("TableType") == "VIRTUAL_VIEW" else {}
        return parameters

    def annotate(self, view: str, description: str, parameters: Mapping[str, str]) -> None:
        """Add a description and parameters to a view that Athena has just created."""
        self._read(view)
        self._update(
            view,
            lambda present: {
                "Description": description,
                "Parameters": {**present.get("Parameters", {}), **parameters},
            },
        )

    def _read(self, table: str) -> Mapping[str, Any]:
        self._tables[table] = self._glue.get_table(DatabaseName=self._name, Name=table)["Table"]
        return self._tables[table]

    def _update(self, table: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        """Change a table, and try again with what it is by then if somebody else changes it at the same moment."""
        for wait in (*_CONCURRENCY_WAITS, None):
            present = self._tables[table]
            changed = {**self._table_input(present), **change(present)}
            try:
                self._glue.update_table(DatabaseName=self._name, TableInput=cast("TableInputTypeDef", changed))
            except self._glue.exceptions.ConcurrentModificationException:
                if wait is None:
                    raise
                time.sleep(wait)
                self._read(table)
            else:
                self._tables[table] = {**present, **changed}
                return

    def _table_input(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of a GetTable response that UpdateTable accepts in the same form."""
        model = self._glue.meta.service_model
        returned = cast("StructureShape", model.shape_for("Table")).members
        accepted = cast("StructureShape", model.shape_for("TableInput")).members
        return {
            key: value for key, value in table.items() if key in accepted and accepted[key].name == returned[key].name
        }

    def _reconcile_table(self, table: Table, location: str, changes: CatalogChanges) -> list[str]:
        """Add missing columns and partitions, and return the differences that stay."""
        present = self._tables[table.name]
        if present.get("TableType") == "VIRTUAL_VIEW":
            return [f"{table.name} is a view but should be a table; drop the view"]
        descriptor = present["StorageDescriptor"]
        found = descriptor.get("Location", "")
        if found.rstrip("/") != location.rstrip("/"):
            return [
                (
                    f"{table.name} is somebody else's table, with files in {found or 'no folder'} instead of "
                    f"{location}: delete it in Glue, which keeps its files, and run `spotify-etl crawl`"
                )
            ]
        if _partition_keys(present) in [[key] for key in table.earlier_partition_keys]:
            # First: only as long as the table has its earlier key, another run does this again.
            if not self._register(table, self._moved_partitions(table), changes):
                return []
            self._rename_partition_key(table, changes)
            present = self._tables[table.name]
            descriptor = present["StorageDescriptor"]
        known = {column["Name"]: column["Type"] for column in descriptor["Columns"]}
        keys = {key["Name"]: key["Type"] for key in present.get("PartitionKeys", [])}
        missing = [column for column in glue_types.columns(table) if column["Name"] not in known]
        if missing:
            self._update(table.name, lambda present: {"StorageDescriptor": _with_columns(present, missing)})
            changes.added[table.name] = [column["Name"] for column in missing]
        conflicts = _conflicts(table.name, glue_types.columns(table), known)
        if wrong_keys := _conflicts(table.name, glue_types.partition_keys(table), keys, required=True):
            return [*conflicts, *wrong_keys]
        self._register(table, table.expected_partitions(datetime.now(UTC).date()), changes)
        return conflicts

    def _rename_partition_key(self, table: Table, changes: CatalogChanges) -> None:
        """Give a table its present partition key; what has the name of the earlier one is a column of the files now.

        Its partitions stay, with the folders and values of the earlier key, until the compaction has moved their rows.
        Source: https://docs.aws.amazon.com/athena/latest/ug/alter-table-rename-partition.html.
        """

        def renamed(present: Mapping[str, Any]) -> Mapping[str, Any]:
            # At once: a name may not be that of a column and of a partition key.
            missing = [column for column in glue_types.columns(table) if [column["Name"]] == _partition_keys(present)]
            parameters = present.get("Parameters", {})
            return {
                "StorageDescriptor": _with_columns(present, missing),
                "PartitionKeys": glue_types.partition_keys(table),
                # A crawl may have met folders of the present key before.
                "Parameters": {name: value for name, value in parameters.items() if name != _DEPRECATED},
            }

        self._update(table.name, renamed)
        changes.rekeyed[table.name] = table.partition_key

    def _moved_partitions(self, table: Table) -> list[str]:
        """Return the partitions that the rows of earlier partition keys are moved to."""
        values = {
            table.partition_value(partition["Values"][0])
            for page in self._glue.get_paginator("get_partitions").paginate(
                DatabaseName=self._name, TableName=table.name, ExcludeColumnSchema=True
            )
            for partition in page["Partitions"]
        }
        return sorted(values)

    def _register(self, table: Table, values: Sequence[str], changes: CatalogChanges) -> bool:
        """Register partitions that otherwise only a crawl would find, and return whether all of them are there.

        Those that the catalog has stay as they are.
        """
        refused: list[str] = []
        for start in range(0, len(values), _PARTITIONS_AT_ONCE):
            batch = values[start : start + _PARTITIONS_AT_ONCE]
            errors = self._create_partitions(table, batch)
            if created := [value for value in batch if value not in errors]:
                changes.registered.setdefault(table.name, []).extend(created)
            refused += [
                f"{table.name} has no partition {value} yet: {error.get('ErrorMessage') or error['ErrorCode']}"
                for value, error in errors.items()
                if error["ErrorCode"] != "AlreadyExistsException"
            ]
        self.unregistered += refused
        return not refused

    def _create_partitions(self, table: Table, values: Sequence[str]) -> dict[str, Mapping[str, str]]:
        """Create partitions, as many as one request may, and return Glue's errors by value."""
        descriptor = self._tables[table.name]["StorageDescriptor"]
        folder = descriptor["Location"].rstrip("/")
        inputs: list[PartitionInputTypeDef] = [
            {
                "Values": [value],
                "StorageDescriptor": cast(
                    "StorageDescriptorTypeDef",
                    {**descriptor, "Location": f"{folder}/{table.partition_key}={value}/"},
                ),
            }
            for value in values
        ]
        try:
            response = self._glue.batch_create_partition(
                DatabaseName=self._name, TableName=table.name, PartitionInputList=inputs
            )
        except ClientError as error:
            refusal = {"ErrorCode": error.response["Error"]["Code"], "ErrorMessage": str(error)}
            return dict.fromkeys(values, refusal)
        return {
            error["PartitionValues"][0]: cast("Mapping[str, str]", error["ErrorDetail"])
            for error in response.get("Errors", ())
        }

    def _crawler_conflicts(self, table: str) -> list[str]:
        """Return what a crawl that says `Succeeded` has done to a table instead of updating it.

        Source: https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html.
        """
        advice = "delete the table in Glue and crawl again, which keeps its files"
        found = []
        if _DEPRECATED in self._tables[table].get("Parameters", {}):
            found.append(f"the crawler has marked {table} as deprecated, so it gets no new partitions: {advice}")
        twin = re.compile(rf"{table}_[0-9a-f]{{32}}")
        found += [
            f"the crawler has made {name} beside {table}: {advice}" for name in self._tables if twin.fullmatch(name)
        ]
        return found


def _partition_keys(table: Mapping[str, Any]) -> list[str]:
    return [key["Name"] for key in table.get("PartitionKeys", [])]


def _with_columns(table: Mapping[str, Any], missing: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the storage descriptor of a table with the columns that it still does not have."""
    descriptor = table["StorageDescriptor"]
    known = {column["Name"] for column in descriptor["Columns"]}
    new = [column for column in missing if column["Name"] not in known]
    return {**descriptor, "Columns": [*descriptor["Columns"], *new]}


def _conflicts(
    table: str, expected: Iterable[Mapping[str, Any]], present: Mapping[str, str], *, required: bool = False
) -> list[str]:
    found = []
    for column in expected:
        name, kind = column["Name"], column["Type"]
        if name not in present:
            if required:
                found.append(f"{table} is not partitioned by {name}")
        elif present[name].lower() != kind:
            found.append(f"{table}.{name} is {present[name]} in the catalog and {kind} in the files")
    return found
