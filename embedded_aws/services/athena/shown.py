"""SHOW and DESCRIBE: what the catalog holds, in Hive's format.

No header row comes before their rows, unlike those of a query.
Source: https://github.com/uber/athenadriver/blob/master/resources/UndocumentedAthena.md
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from embedded_aws.services.athena.catalog import CallerCatalog, columns_of, matching
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.results import ResultSet
from embedded_aws.services.athena.types import from_hive
from embedded_aws.services.athena.views import decode, is_view

_TEXT = from_hive("string")


def databases(catalog: CallerCatalog, pattern: str | None) -> ResultSet:
    """Return the names of the databases that match a pattern, in which `*` stands for anything."""
    return _lines("database_name", matching((one["Name"] for one in catalog.databases()), pattern))


def tables(catalog: CallerCatalog, database: str, pattern: str | None) -> ResultSet:
    """Return the names of the tables and views of a database that match a pattern."""
    return _lines("tab_name", matching(catalog.table_names(database), pattern))


def views(catalog: CallerCatalog, database: str, pattern: str | None) -> ResultSet:
    """Return the names of the views of a database that match a pattern."""
    names = [name for name in catalog.table_names(database) if is_view(catalog.get_table(database, name))]
    return _lines("views", matching(names, pattern))


def columns(catalog: CallerCatalog, database: str, name: str) -> ResultSet:
    """Return the names of a table's columns, partition keys last."""
    found = columns_of(catalog.get_table(database, name))
    return _lines("field", [f"{column['Name']:<20}" for column in found])


def partitions(catalog: CallerCatalog, database: str, name: str) -> ResultSet:
    """Return a table's partitions as folders of their keys and values.

    Raises:
        QueryError: the table has no partition keys.
    """
    keys = [key["Name"] for key in catalog.get_table(database, name).get("PartitionKeys", [])]
    if not keys:
        raise QueryError("HIVE_METASTORE_ERROR", f"Table {database}.{name} is not a partitioned table")
    found = catalog.partition_values(database, name)
    return _lines(
        "partition",
        sorted("/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True)) for values in found),
    )


def properties(catalog: CallerCatalog, database: str, name: str) -> ResultSet:
    """Return a table's properties."""
    found = catalog.get_table(database, name).get("Parameters") or {}
    return _lines("prpt_name", [f"{key}\t{value}" for key, value in sorted(found.items())])


def description(catalog: CallerCatalog, database: str, name: str) -> ResultSet:
    """Return a table's columns, with its partition keys once more after a heading."""
    table = catalog.get_table(database, name)
    keys = table.get("PartitionKeys", [])
    view = is_view(table)
    lines = [
        _described(
            column["Name"], from_hive(column["Type"]).trino if view else column["Type"], column.get("Comment") or ""
        )
        for column in columns_of(table)
    ]
    if keys:
        lines += ["", "# Partition Information", _described("# col_name", "data_type", "comment"), ""]
        lines += [_described(key["Name"], key["Type"], key.get("Comment") or "") for key in keys]
    names = tuple((name, _TEXT) for name in ("col_name", "data_type", "comment"))
    return ResultSet(names, tuple((line,) for line in lines))


def view_statement(catalog: CallerCatalog, database: str, name: str) -> ResultSet:
    """Return the statement that creates a view, with its query as it was written.

    Raises:
        QueryError: it is a table.
    """
    table = catalog.get_table(database, name)
    if not is_view(table):
        raise QueryError("NOT_SUPPORTED", f"Relation '{database}.{name}' is a table, not a view")
    return _lines("Create View", [f"CREATE VIEW {database}.{name} AS", *decode(table).sql.splitlines()])


def table_statement(catalog: CallerCatalog, database: str, name: str) -> ResultSet:
    """Return the statement that creates a table.

    Raises:
        QueryError: it is a view.
    """
    table = catalog.get_table(database, name)
    if is_view(table):
        raise QueryError("NOT_SUPPORTED", f"Relation '{database}.{name}' is a view, not a table")
    descriptor = table["StorageDescriptor"]
    lines = [f"CREATE EXTERNAL TABLE `{name}`(", *_declared(descriptor["Columns"])]
    if keys := table.get("PartitionKeys"):
        lines += ["PARTITIONED BY ( ", *_declared(keys)]
    serde = descriptor.get("SerdeInfo") or {}
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary', '')}' "]
    if parameters := serde.get("Parameters"):
        lines += ["WITH SERDEPROPERTIES ( ", *_assigned(parameters)]
    lines += ["STORED AS INPUTFORMAT ", f"  '{descriptor.get('InputFormat', '')}' "]
    lines += ["OUTPUTFORMAT ", f"  '{descriptor.get('OutputFormat', '')}'"]
    lines += ["LOCATION", f"  '{descriptor['Location']}'"]
    if found := table.get("Parameters"):
        lines += ["TBLPROPERTIES (", *_assigned(found)]
    return _lines("createtab_stmt", lines)


def _lines(name: str, lines: Iterable[str]) -> ResultSet:
    return ResultSet(((name, _TEXT),), tuple((line,) for line in lines))


def _described(name: str, kind: str, comment: str) -> str:
    """Return a column's line in DESCRIBE: padded as in Hive, in a single field."""
    return f"{name:<20}\t{kind:<20}\t{comment:<20}"


def _declared(columns: Iterable[dict[str, Any]]) -> list[str]:
    """Return the lines that declare columns."""
    lines = []
    for column in columns:
        comment = f" COMMENT '{_escaped(column['Comment'])}'" if column.get("Comment") else ""
        lines.append(f"  `{column['Name']}` {column['Type']}{comment}")
    return _listed(lines)


def _assigned(parameters: dict[str, str]) -> list[str]:
    return _listed([f"  '{_escaped(key)}'='{_escaped(str(value))}'" for key, value in sorted(parameters.items())])


def _listed(lines: list[str]) -> list[str]:
    return [*(f"{line}, " for line in lines[:-1]), f"{lines[-1]})"]


def _escaped(text: str) -> str:
    return text.replace("'", "\\'")
