"""What the Glue catalog, as moto holds it, says of databases, tables, partitions and views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from moto.glue.exceptions import DatabaseNotFoundException, TableNotFoundException

from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.caller import Caller
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.types import SqlType, from_hive
from embedded_aws.services.athena.views import CATALOG, ViewDefinition, decode, is_view

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


@dataclass(frozen=True)
class Partition:
    """Where the objects of one partition lie; a table without partition keys is one partition without values."""

    bucket: str
    prefix: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class CatalogTable:
    """A table of Parquet objects."""

    database: str
    name: str
    columns: tuple[tuple[str, SqlType], ...]
    partition_keys: tuple[tuple[str, SqlType], ...]
    location: str


@dataclass(frozen=True)
class CatalogView:
    """A view, as its Glue table defines it."""

    database: str
    name: str
    definition: ViewDefinition


class Catalog:
    """The Glue catalog in the eyes of one caller, for the length of one statement.

    Attributes:
        caller: who sees it.
    """

    def __init__(self, server: AwsServer, caller: Caller) -> None:
        self.caller = caller
        self._glue = server.backend("glue")
        self._found: dict[tuple[str, str], CatalogTable | CatalogView] = {}

    def require_database(self, database: str) -> None:
        """Require that the caller may see a database, whether there is one or not.

        Raises:
            AccessError: the caller may not.
        """
        self.caller.database("GetDatabase", database)

    def find(self, database: str, name: str) -> CatalogTable | CatalogView:
        """Return a table or view.

        Raises:
            QueryError: there is none of that name, or it is none that can be read.
            AccessError: the caller may not see it.
        """
        if (database, name) not in self._found:
            self._found[database, name] = self._find(database, name)
        return self._found[database, name]

    def _find(self, database: str, name: str) -> CatalogTable | CatalogView:
        found = self.description(database, name)
        if is_view(found):
            return CatalogView(database, name, decode(found))
        serde = found["StorageDescriptor"].get("SerdeInfo", {}).get("SerializationLibrary")
        if serde != _PARQUET:
            raise QueryError(
                "HIVE_UNSUPPORTED_FORMAT", f"Table {database}.{name} is no Parquet table: its SerDe is {serde}"
            )
        keys = tuple((key["Name"].lower(), from_hive(key["Type"])) for key in found.get("PartitionKeys", []))
        return CatalogTable(
            database=database,
            name=name,
            columns=_columns(found["StorageDescriptor"]),
            partition_keys=keys,
            location=found["StorageDescriptor"]["Location"],
        )

    def partitions(self, table: CatalogTable) -> tuple[Partition, ...]:
        """Return where a table's objects lie.

        Raises:
            AccessError: the caller may not see the partitions.
        """
        if not table.partition_keys:
            return (_partition(table.location, ()),)
        self.caller.table("GetPartitions", table.database, table.name)
        found = self._glue.get_partitions(table.database, table.name, None)
        return tuple(
            _partition(one.partition_input["StorageDescriptor"]["Location"], tuple(one.values)) for one in found
        )

    def description(self, database: str, name: str) -> dict[str, Any]:
        """Return a table as Glue's GetTable has it.

        Raises:
            QueryError: there is none of that name.
            AccessError: the caller may not see it.
        """
        self.caller.table("GetTable", database, name)
        try:
            found: dict[str, Any] = self._glue.get_table(database, name).as_dict()
        except DatabaseNotFoundException:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist") from None
        except TableNotFoundException:
            raise QueryError("TABLE_NOT_FOUND", f"Table '{CATALOG}.{database}.{name}' does not exist") from None
        return found

    def names(self, database: str) -> list[str]:
        """Return the names of all tables and views of a database.

        Raises:
            QueryError: there is no such database.
            AccessError: the caller may not see them.
        """
        self.caller.database("GetDatabase", database)
        self.caller.table("GetTables", database, "*")
        try:
            return sorted(table.name for table in self._glue.get_tables(database, None))
        except DatabaseNotFoundException:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist") from None

    def put_view(self, database: str, table_input: dict[str, Any], *, replace: bool) -> None:
        """Make a view, or replace one.

        Raises:
            QueryError: the name is taken and may not be replaced.
            AccessError: the caller may not.
        """
        name = table_input["Name"]
        try:
            present = self.description(database, name)
        except QueryError as error:
            if error.code != "TABLE_NOT_FOUND":
                raise
            self.caller.table("CreateTable", database, name)
            self._glue.create_table(database, name, table_input)
            return
        if not is_view(present):
            raise QueryError("TABLE_ALREADY_EXISTS", f"Table already exists: '{CATALOG}.{database}.{name}'")
        if not replace:
            raise QueryError("TABLE_ALREADY_EXISTS", f"View already exists: '{CATALOG}.{database}.{name}'")
        self.caller.table("UpdateTable", database, name)
        self._glue.update_table(database, name, table_input)

    def drop_view(self, database: str, name: str) -> None:
        """Take a view away.

        Raises:
            QueryError: there is no such view.
            AccessError: the caller may not.
        """
        if not is_view(self.description(database, name)):
            raise QueryError("TABLE_NOT_FOUND", f"View '{CATALOG}.{database}.{name}' does not exist")
        self.caller.table("DeleteTable", database, name)
        self._glue.delete_table(database, name)


def _columns(descriptor: dict[str, Any]) -> tuple[tuple[str, SqlType], ...]:
    return tuple((column["Name"].lower(), from_hive(column["Type"])) for column in descriptor["Columns"])


def _partition(location: str, values: tuple[str, ...]) -> Partition:
    """Read a location; a folder's name ends at a slash, so that `dt=1` is no part of `dt=10`."""
    address = urlsplit(location)
    prefix = address.path.strip("/")
    return Partition(address.netloc, f"{prefix}/" if prefix else "", values)
