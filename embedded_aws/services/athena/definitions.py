"""Statements that define databases and tables: CREATE, ALTER and DROP DATABASE, CREATE EXTERNAL TABLE, ALTER TABLE.

Source: https://docs.aws.amazon.com/athena/latest/ug/create-table.html,
https://docs.aws.amazon.com/athena/latest/ug/alter-table-add-columns.html
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlglot
from moto.glue.exceptions import DatabaseAlreadyExistsException, DatabaseNotFoundException
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from embedded_aws.services.athena import catalog_changes
from embedded_aws.services.athena.catalog import CallerCatalog, columns_of
from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.formats import PARQUET, TEXT, TableFormat
from embedded_aws.services.athena.types import SqlType
from embedded_aws.services.athena.views import is_view

_TASK = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."
_NOT_IN_INPUT = ("CatalogId", "CreateTime", "DatabaseName", "UpdateTime", "VersionId")
"""What GetTable adds to a `TableInput`."""


def create_database(
    catalog: CallerCatalog,
    name: str,
    *,
    if_missing: bool,
    comment: str | None = None,
    location: str | None = None,
    assignments: str | None = None,
) -> None:
    """Create a database.

    Args:
        catalog: the catalog.
        name: of the database.
        if_missing: whether it may exist.
        comment: its description.
        location: S3 URL; tables do not follow from it.
        assignments: its properties, as in `'key' = 'value', …`.

    Raises:
        QueryError: it exists, or its properties cannot be parsed.
        AccessError: the caller is not allowed to.
    """
    properties = None if assignments is None else _assigned(assignments)
    if location is not None:
        _check_location(location, "database")
    described = {"Description": comment, "LocationUri": location, "Parameters": properties}
    database = {"Name": name} | {key: value for key, value in described.items() if value is not None}
    catalog.caller.check_database("CreateDatabase", name)
    with catalog.server.gate.working():
        try:
            catalog.server.backend("glue").create_database(name, database)
        except DatabaseAlreadyExistsException:
            if not if_missing:
                raise QueryError("FAILED", f"{_TASK} Database {name} already exists") from None


def set_database_properties(catalog: CallerCatalog, name: str, assignments: str) -> None:
    """Set properties of a database.

    Raises:
        QueryError: it does not exist, or the properties cannot be parsed.
        AccessError: the caller is not allowed to.
    """
    given = _assigned(assignments)
    catalog.caller.check_database("UpdateDatabase", name)
    with catalog.server.gate.working():
        try:
            database = catalog.server.backend("glue").get_database(name)
        except DatabaseNotFoundException:
            raise _no_database(name) from None
        database.input = {**database.input, "Parameters": {**(database.input.get("Parameters") or {}), **given}}


def drop_database(catalog: CallerCatalog, name: str, *, if_present: bool, cascade: bool) -> None:
    """Drop a database, with its tables if told to; their objects stay.

    Raises:
        QueryError: it does not exist, or has tables.
        AccessError: the caller is not allowed to.
    """
    catalog.caller.check_database("DeleteDatabase", name)
    with catalog.server.gate.working():
        glue = catalog.server.backend("glue")
        try:
            tables = [table.name for table in glue.get_tables(name, None)]
        except DatabaseNotFoundException:
            if if_present:
                return
            raise _no_database(name) from None
        if tables and not cascade:
            text = f"InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
            raise QueryError("FAILED", f"{_TASK} {text}")
        for table in tables:
            catalog.caller.check_table("DeleteTable", name, table)
        glue.delete_database(name)


def create_table(catalog: CallerCatalog, text: str, database: str) -> None:
    """Create a table of objects that exist or are yet to come, by CREATE EXTERNAL TABLE.

    Args:
        catalog: the catalog.
        text: the statement.
        database: of an unqualified name.

    Raises:
        QueryError: the table exists, its database does not, or the statement is invalid or not modelled.
        AccessError: the caller is not allowed to.
    """
    tree = _parsed(text, exp.Create)
    schema = tree.this
    if not isinstance(schema, exp.Schema):
        raise not_supported("CREATE EXTERNAL TABLE without columns")
    table: exp.Table = schema.this
    name = ((table.db or database).lower(), table.name.lower())
    described = _table_input(name[1], schema.expressions, tree.args["properties"].expressions)
    catalog_changes.check_creation(catalog, *name, partitioned=False)
    with catalog.server.gate.working():
        try:
            catalog_changes.create_table(catalog, name[0], described, ())
        except DatabaseNotFoundException:
            raise _no_database(name[0]) from None
        except QueryError as error:
            if error.code == "TABLE_ALREADY_EXISTS" and tree.args["exists"]:
                return
            raise QueryError(
                "FAILED", f"{_TASK} AlreadyExistsException(message:Table {name[1]} already exists.)"
            ) from error


def set_properties(catalog: CallerCatalog, name: tuple[str, str], assignments: str) -> None:
    """Set properties of a table.

    Raises:
        QueryError: the table does not exist.
        AccessError: the caller is not allowed to.
    """
    given = _assigned(assignments)
    _change(catalog, name, lambda table: {**table, "Parameters": {**(table.get("Parameters") or {}), **given}})


def set_location(catalog: CallerCatalog, name: tuple[str, str], location: str) -> None:
    """Set where the objects of a table are; those that are there already become its rows.

    Raises:
        QueryError: the table does not exist, or this is no location in S3.
        AccessError: the caller is not allowed to.
    """
    _check_location(location, "table")
    _change(
        catalog,
        name,
        lambda table: {**table, "StorageDescriptor": {**table["StorageDescriptor"], "Location": location}},
    )


def add_columns(catalog: CallerCatalog, name: tuple[str, str], declared: str) -> None:
    """Add columns to a table, after those that it has.

    Raises:
        QueryError: the table does not exist, or has a column of that name.
        AccessError: the caller is not allowed to.
    """
    columns = _declared_columns(declared)

    def changed(table: dict[str, Any]) -> dict[str, Any]:
        _check_unique([*columns_of(table), *columns])
        descriptor = table["StorageDescriptor"]
        return {**table, "StorageDescriptor": {**descriptor, "Columns": [*descriptor["Columns"], *columns]}}

    _change(catalog, name, changed)


def replace_columns(catalog: CallerCatalog, name: tuple[str, str], declared: str) -> None:
    """Give a table other columns; its partition keys stay.

    Raises:
        QueryError: the table does not exist, or two columns have one name.
        AccessError: the caller is not allowed to.
    """
    columns = _declared_columns(declared)

    def changed(table: dict[str, Any]) -> dict[str, Any]:
        _check_unique([*columns, *table.get("PartitionKeys", ())])
        return {**table, "StorageDescriptor": {**table["StorageDescriptor"], "Columns": columns}}

    _change(catalog, name, changed)


def _change(catalog: CallerCatalog, name: tuple[str, str], change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    with catalog.server.gate.working():
        try:
            table = catalog.get_table(*name)
        except QueryError as error:
            raise (catalog_changes.hive_not_found(*name) if error.code == "TABLE_NOT_FOUND" else error) from error
        if is_view(table):
            raise QueryError("FAILED", f"SemanticException Cannot alter a view with ALTER TABLE: {name[0]}.{name[1]}")
        catalog.caller.check_table("UpdateTable", *name)
        changed = change({key: value for key, value in table.items() if key not in _NOT_IN_INPUT})
        catalog.server.backend("glue").update_table(*name, changed)


def _parsed(text: str, kind: type[exp.Expr]) -> exp.Expr:
    """Return the tree of a statement in Hive's grammar.

    Raises:
        QueryError: it has an error, or parts that are not modelled.
    """
    with contextlib.suppress(ParseError, TokenError):
        tree = sqlglot.parse_one(text, read="hive")
        if isinstance(tree, kind):
            return tree
    raise QueryError("FAILED", f"ParseException line 1:0 cannot recognize input near '{' '.join(text.split()[:3])}'")


@dataclass
class _Clauses:
    """What CREATE EXTERNAL TABLE says after the columns."""

    form: TableFormat = TEXT
    serde: str | None = None
    serde_properties: dict[str, str] = field(default_factory=dict)
    keys: list[dict[str, str]] = field(default_factory=list)
    location: str = ""
    properties: dict[str, str] = field(default_factory=dict)

    def add(self, clause: exp.Expr) -> None:
        """Add a clause.

        Raises:
            QueryError: it is not modelled.
        """
        match clause:
            case exp.ExternalProperty():
                pass
            case exp.SchemaCommentProperty():
                self.properties["comment"] = clause.name
            case exp.PartitionedByProperty():
                self.keys = _columns(clause.this.expressions)
            case exp.RowFormatSerdeProperty():
                self.serde = clause.name
                self.serde_properties = _properties(clause.args.get("serde_properties") or ())
            case exp.FileFormatProperty():
                self.form = _file_format(clause)
            case exp.LocationProperty():
                self.location = clause.name
            case exp.Property(this=exp.Literal()):
                self.properties |= _properties((clause,))
            case _:
                raise not_supported(f"CREATE EXTERNAL TABLE with {clause.sql('hive').split()[0]}")


def _table_input(name: str, columns: Iterable[exp.Expr], clauses: Iterable[exp.Expr]) -> dict[str, Any]:
    given = _Clauses()
    for clause in clauses:
        given.add(clause)
    if given.properties.get("table_type", "").upper() == "ICEBERG":
        raise not_supported("An Iceberg table; leave table_type = 'ICEBERG' out")
    _check_location(given.location, "table")
    described = _columns(columns)
    _check_unique([*described, *given.keys])
    return {
        "Name": name,
        "Owner": "hadoop",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": given.keys,
        "Parameters": {"EXTERNAL": "TRUE", **given.properties},
        "StorageDescriptor": {
            "Columns": described,
            "Location": given.location,
            "InputFormat": given.form.reader,
            "OutputFormat": given.form.writer,
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {
                "SerializationLibrary": given.serde or given.form.serde,
                "Parameters": {"serialization.format": "1", **given.serde_properties},
            },
            "SortColumns": [],
            "StoredAsSubDirectories": False,
        },
    }


def _assigned(assignments: str) -> dict[str, str]:
    try:
        alter = _parsed(f"ALTER TABLE t SET TBLPROPERTIES ({assignments})", exp.Alter)
    except QueryError as error:
        raise QueryError("FAILED", f"ParseException line 1:0 cannot recognize input near '{assignments}'") from error
    return _properties(alter.find_all(exp.Property))


def _check_location(location: str, of: str) -> None:
    if not re.fullmatch(r"s3://[^/]+(?:/.*)?", location):
        raise QueryError("FAILED", f"SemanticException {of} location must be an s3:// URI")


def _properties(found: Iterable[exp.Expr]) -> dict[str, str]:
    properties = {}
    for one in found:
        value = one.args["value"]
        if not isinstance(value, exp.Literal):
            raise QueryError("FAILED", f"ParseException line 1:0 cannot recognize input near '{one.this.sql('hive')}'")
        properties[one.this.name] = value.name
    return properties


def _file_format(clause: exp.FileFormatProperty) -> TableFormat:
    if isinstance(clause.this, exp.InputOutputFormat):
        reader, writer = (clause.this.args[part].name for part in ("input_format", "output_format"))
        return TableFormat(reader, writer, TEXT.serde)
    found = {"PARQUET": PARQUET, "TEXTFILE": TEXT}.get(clause.name.upper())
    if found is None:
        raise not_supported(f"CREATE EXTERNAL TABLE with STORED AS {clause.name.upper()}")
    return found


def _declared_columns(declared: str) -> list[dict[str, str]]:
    return _columns(_parsed(f"CREATE TABLE t ({declared})", exp.Create).this.expressions)


def _columns(declared: Iterable[exp.Expr]) -> list[dict[str, str]]:
    columns = []
    for column in declared:
        if not isinstance(column, exp.ColumnDef) or column.kind is None:
            raise QueryError("FAILED", f"ParseException line 1:0 cannot recognize input near '{column.sql('hive')}'")
        described = {"Name": column.name.lower(), "Type": SqlType(column.kind).hive}
        for constraint in column.constraints:
            if not isinstance(constraint.kind, exp.CommentColumnConstraint):
                raise not_supported(f"A column with {constraint.sql('hive')}")
            described["Comment"] = constraint.kind.name
        columns.append(described)
    return columns


def _check_unique(columns: Iterable[dict[str, Any]]) -> None:
    names: set[str] = set()
    for column in columns:
        if column["Name"].lower() in names:
            raise QueryError("FAILED", f"{_TASK} Duplicate column name: {column['Name']}")
        names.add(column["Name"].lower())


def _no_database(name: str) -> QueryError:
    return QueryError("FAILED", f"SemanticException [Error 10072]: Database does not exist: {name}")
