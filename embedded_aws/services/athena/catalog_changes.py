"""Changes of tables and partitions in the Glue catalog, on behalf of a caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moto.glue.models import FakeTable

from embedded_aws.services.athena.catalog import CallerCatalog
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.views import CATALOG, is_view


def check_creation(catalog: CallerCatalog, database: str, name: str, *, partitioned: bool) -> None:
    """Check that the caller may create a table.

    Raises:
        AccessError: the caller is not allowed to.
    """
    catalog.caller.check_table("CreateTable", database, name)
    if partitioned:
        catalog.caller.check_table("BatchCreatePartition", database, name)


def create_table(
    catalog: CallerCatalog, database: str, table_input: dict[str, Any], partitions: Sequence[Mapping[str, Any]]
) -> None:
    """Create a table together with its partitions, so that nobody sees it without them.

    Raises:
        QueryError: there is a table of that name.
    """
    name = table_input["Name"]
    glue = catalog.server.backend("glue")
    table = FakeTable(database, name, table_input, catalog_id=glue.account_id)
    for partition in partitions:
        table.create_partition(dict(partition))
    tables = glue.get_database(database).tables
    if tables.setdefault(name, table) is not table:
        raise table_exists(database, name)


def table_exists(database: str, name: str) -> QueryError:
    """Return the error for the name of a table that exists."""
    return QueryError(
        "TABLE_ALREADY_EXISTS", f"line 1:1: Destination table '{CATALOG}.{database}.{name}' already exists"
    )


def hive_not_found(database: str, name: str) -> QueryError:
    """Return the error of a statement in Hive's grammar for a table that does not exist."""
    return QueryError("FAILED", f"SemanticException [Error 10001]: Table not found {database}.{name}")


def partition_input(table: Mapping[str, Any], values: Sequence[str], location: str) -> dict[str, Any]:
    """Return the `PartitionInput` of a partition that is stored like its table."""
    return {"Values": list(values), "StorageDescriptor": {**table["StorageDescriptor"], "Location": location}}


def add_partitions(
    catalog: CallerCatalog, database: str, name: str, partitions: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """Create those of the partitions that do not exist, and return them.

    Raises:
        AccessError: the caller is not allowed to.
    """
    catalog.caller.check_table("BatchCreatePartition", database, name)
    known = set(catalog.partition_values(database, name))
    added = [one for one in partitions if tuple(one["Values"]) not in known]
    for one in added:
        catalog.server.backend("glue").create_partition(database, name, dict(one))
    return added


def drop_partition(catalog: CallerCatalog, database: str, name: str, values: Sequence[str]) -> None:
    """Drop a partition that exists; its objects stay.

    Raises:
        AccessError: the caller is not allowed to.
    """
    catalog.caller.check_table("DeletePartition", database, name)
    part: Any = list(values)
    catalog.server.backend("glue").delete_partition(database, name, part)


def drop_table(catalog: CallerCatalog, database: str, name: str) -> None:
    """Drop a table; its objects stay.

    Raises:
        QueryError: it does not exist, or is a view.
        AccessError: the caller is not allowed to.
    """
    with catalog.server.gate.working():
        if is_view(catalog.get_table(database, name)):
            raise QueryError("FAILED", f"SemanticException Cannot drop a view with DROP TABLE: {database}.{name}")
        catalog.caller.check_table("DeleteTable", database, name)
        catalog.server.backend("glue").delete_table(database, name)
