"""Databases, tables, partitions and views in moto's Glue catalog."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from moto.glue.exceptions import DatabaseNotFoundException, TableNotFoundException

from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.csv_files import CsvFormat
from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.formats import OPEN_CSV_SERDE, PARQUET
from embedded_aws.services.athena.permissions import CallerPermissions
from embedded_aws.services.athena.text_limits import Limits, limits_of
from embedded_aws.services.athena.types import SqlType, from_hive
from embedded_aws.services.athena.views import CATALOG, ViewDefinition, decode, is_view


@dataclass(frozen=True)
class Partition:
    """Where a partition's objects are; an unpartitioned table is one partition without values."""

    bucket: str
    prefix: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class CatalogTable:
    """A table of objects in Parquet or CSV."""

    database: str
    name: str
    columns: tuple[tuple[str, SqlType], ...]
    partition_keys: tuple[tuple[str, SqlType], ...]
    location: str
    limits: tuple[tuple[str, Limits], ...]
    """Columns with texts of a limited length."""
    csv: CsvFormat | None = None
    """None for Parquet."""

    @property
    def lengths(self) -> dict[str, int]:
        """Columns of type varchar(n), and n."""
        return {name: limit for name, limit in self.limits if isinstance(limit, int)}


@dataclass(frozen=True)
class CatalogView:
    """A view, as defined by its Glue table."""

    database: str
    name: str
    definition: ViewDefinition


class CallerCatalog:
    """The Glue catalog as one caller sees it during one statement."""

    def __init__(self, server: AwsServer, caller: CallerPermissions) -> None:
        self.caller = caller
        """Permissions that the catalog, and the objects of its tables, are read with."""
        self.server = server
        self._found: dict[tuple[str, str], CatalogTable | CatalogView] = {}

    def require_database(self, database: str) -> None:
        """Check that the caller may see a database, whether or not it exists.

        Raises:
            AccessError: the caller is not allowed to.
        """
        self.caller.check_database("GetDatabase", database)

    def find(self, database: str, name: str) -> CatalogTable | CatalogView:
        """Return a table or view.

        Raises:
            QueryError: it does not exist or cannot be read.
            AccessError: the caller may not see it.
        """
        if (database, name) not in self._found:
            self._found[database, name] = self._find(database, name)
        return self._found[database, name]

    def _find(self, database: str, name: str) -> CatalogTable | CatalogView:
        found = self.get_table(database, name)
        if is_view(found):
            return CatalogView(database, name, decode(found))
        if str((found.get("Parameters") or {}).get("projection.enabled")).lower() == "true":
            raise not_supported(f"Partition projection of table {database}.{name}; add its partitions to the catalog")
        serde = found["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary")
        if serde not in {PARQUET.serde, OPEN_CSV_SERDE}:
            raise not_supported(
                f"Reading table {database}.{name} with the SerDe {serde}; use Parquet or {OPEN_CSV_SERDE}"
            )
        keys = tuple((key["Name"].lower(), from_hive(key["Type"])) for key in found.get("PartitionKeys", []))
        if serde == OPEN_CSV_SERDE:
            for column in found["StorageDescriptor"]["Columns"]:
                if column["Type"].lower() != "string":
                    raise not_supported(f"Reading {column['Name']} from CSV as {column['Type']}; declare it as string")
        return CatalogTable(
            database=database,
            name=name,
            columns=_columns(found["StorageDescriptor"]),
            partition_keys=keys,
            location=found["StorageDescriptor"]["Location"],
            limits=tuple(_limits(columns_of(found))),
            csv=CsvFormat.of_table(found) if serde == OPEN_CSV_SERDE else None,
        )

    def partitions(self, table: CatalogTable) -> tuple[Partition, ...]:
        """Return a table's partitions.

        Raises:
            AccessError: the caller may not see the partitions.
        """
        if not table.partition_keys:
            return (_partition(table.location, ()),)
        self.caller.check_table("GetPartitions", table.database, table.name)
        partitions = self.server.backend("glue").get_partitions(table.database, table.name, None)
        return tuple(
            _partition(partition.partition_input["StorageDescriptor"]["Location"], tuple(partition.values))
            for partition in partitions
        )

    def partition_values(self, database: str, name: str) -> list[tuple[str, ...]]:
        """Return the values of a table's partitions.

        Raises:
            AccessError: the caller may not see the partitions.
        """
        self.caller.check_table("GetPartitions", database, name)
        return [tuple(one.values) for one in self.server.backend("glue").get_partitions(database, name, None)]

    def get_table(self, database: str, name: str) -> dict[str, Any]:
        """Return a table in the form of Glue's GetTable.

        Raises:
            QueryError: it does not exist.
            AccessError: the caller may not see it.
        """
        self.caller.check_table("GetTable", database, name)
        try:
            found: dict[str, Any] = self.server.backend("glue").get_table(database, name).as_dict()
        except DatabaseNotFoundException:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist") from None
        except TableNotFoundException:
            raise QueryError("TABLE_NOT_FOUND", f"Table '{CATALOG}.{database}.{name}' does not exist") from None
        return found

    def databases(self) -> list[dict[str, Any]]:
        """Return the databases in the form of Glue's GetDatabases, sorted by name.

        Raises:
            AccessError: the caller may not see them.
        """
        self.caller.check_database("GetDatabases", "*")
        found = [one.as_dict() for one in self.server.backend("glue").get_databases()]
        return sorted(found, key=lambda one: str(one["Name"]))

    def get_database(self, database: str) -> dict[str, Any]:
        """Return a database in the form of Glue's GetDatabase.

        Raises:
            QueryError: it does not exist.
            AccessError: the caller may not see it.
        """
        self.caller.check_database("GetDatabase", database)
        try:
            found: dict[str, Any] = self.server.backend("glue").get_database(database).as_dict()
        except DatabaseNotFoundException:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist") from None
        return found

    def table_names(self, database: str) -> list[str]:
        """Return the sorted names of the tables and views of a database.

        Raises:
            QueryError: the database does not exist.
            AccessError: the caller may not see them.
        """
        self.caller.check_database("GetDatabase", database)
        self.caller.check_table("GetTables", database, "*")
        try:
            return sorted(table.name for table in self.server.backend("glue").get_tables(database, None))
        except DatabaseNotFoundException:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist") from None

    def put_view(self, database: str, table_input: dict[str, Any], *, replace: bool) -> None:
        """Create or replace a view.

        Raises:
            QueryError: the name is taken by a table, or by a view that may not be replaced.
            AccessError: the caller is not allowed to.
        """
        with self.server.gate.working():
            self._put_view(database, table_input, replace=replace)

    def _put_view(self, database: str, table_input: dict[str, Any], *, replace: bool) -> None:
        name = table_input["Name"]
        try:
            present = self.get_table(database, name)
        except QueryError as error:
            if error.code != "TABLE_NOT_FOUND":
                raise
            self.caller.check_table("CreateTable", database, name)
            self.server.backend("glue").create_table(database, name, table_input)
            return
        if not is_view(present):
            raise QueryError("TABLE_ALREADY_EXISTS", f"Table already exists: '{CATALOG}.{database}.{name}'")
        if not replace:
            raise QueryError("TABLE_ALREADY_EXISTS", f"View already exists: '{CATALOG}.{database}.{name}'")
        self.caller.check_table("UpdateTable", database, name)
        self.server.backend("glue").update_table(database, name, table_input)

    def drop_view(self, database: str, name: str) -> None:
        """Drop a view.

        Raises:
            QueryError: the view does not exist.
            AccessError: the caller is not allowed to.
        """
        with self.server.gate.working():
            if not is_view(self.get_table(database, name)):
                raise QueryError("TABLE_NOT_FOUND", f"View '{CATALOG}.{database}.{name}' does not exist")
            self.caller.check_table("DeleteTable", database, name)
            self.server.backend("glue").delete_table(database, name)


def columns_of(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the columns of a table in the form of Glue's GetTable, partition keys last."""
    return [*table["StorageDescriptor"].get("Columns", ()), *table.get("PartitionKeys", ())]


def matching(names: Iterable[str], pattern: str | None) -> list[str]:
    """Return the names that match a pattern, a regular expression in which `*` stands for anything; all without one.

    Raises:
        re.error: the pattern is invalid.
    """
    wanted = None if pattern is None else pattern.replace("*", ".*")
    return [name for name in names if wanted is None or re.fullmatch(wanted, name)]


def _limits(columns: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Limits]]:
    for column in columns:
        if (limits := limits_of(column["Type"])) is not None:
            yield column["Name"].lower(), limits


def _columns(descriptor: dict[str, Any]) -> tuple[tuple[str, SqlType], ...]:
    return tuple((column["Name"].lower(), from_hive(column["Type"])) for column in descriptor["Columns"])


def _partition(location: str, values: tuple[str, ...]) -> Partition:
    """Return the partition at a location; the prefix ends in a slash, so `dt=1` does not match `dt=10`."""
    address = urlsplit(location)
    prefix = address.path.strip("/")
    return Partition(address.netloc, f"{prefix}/" if prefix else "", values)
