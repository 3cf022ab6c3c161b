"""Athena's statements, as far as they are modelled: queries, views, SHOW and DESCRIBE.

Source: https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from embedded_aws.services.athena.catalog import CallerCatalog
from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.results import ResultSet
from embedded_aws.services.athena.sql.checks import check_grammar
from embedded_aws.services.athena.sql.parsing import parse_tree
from embedded_aws.services.athena.types import from_hive
from embedded_aws.services.athena.views import CATALOG, encode, is_view
from embedded_aws.services.athena.warehouse import QueryOutput, QuerySession

_NAME = r"(?:\"[^\"]+\"|`[^`]+`|\w+)"
_QUALIFIED = rf"(?P<name>{_NAME}(?:\.{_NAME}){{0,2}})"
_QUERY = r"(SELECT|WITH|VALUES|TABLE)\b|\("
_CREATE_VIEW = rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?VIEW\s+{_QUALIFIED}\s+AS\s+(?P<query>.+)"
_KNOWN = (
    r"(ALTER|ANALYZE|CALL|COMMENT|CREATE|DEALLOCATE|DELETE|DENY|DESC|DESCRIBE|DROP|EXECUTE|EXPLAIN|GRANT|INSERT|MERGE"
    r"|MSCK|OPTIMIZE|PREPARE|REFRESH|REVOKE|SHOW|TRUNCATE|UNLOAD|UPDATE|USE|VACUUM)\b"
)
"""What statements of Athena and Trino begin with."""

_LEADING = re.compile(r"\s*(?:--[^\n]*(?:\n|$)|/\*.*?\*/)*\s*", re.DOTALL)
_FLAGS = re.IGNORECASE | re.DOTALL
_TEXT = from_hive("string")


@dataclass(frozen=True)
class StatementResult:
    """The outcome of a statement."""

    kind: str
    """`StatementType`: DML, DDL or UTILITY."""

    substatement: str
    """`SubstatementType`."""

    result: ResultSet = field(default_factory=ResultSet)
    scanned: int = 0
    """Bytes that Athena would scan."""


def kind_of(sql: str) -> str:
    """Return the `StatementType` of a statement, valid or not."""
    word = _bare(sql).split(maxsplit=1)[:1]
    return {
        "CREATE": "DDL",
        "DROP": "DDL",
        "SHOW": "UTILITY",
        "DESCRIBE": "UTILITY",
        "ALTER": "DDL",
        "MSCK": "DDL",
    }.get(word[0].upper() if word else "", "DML")


def check_syntax(sql: str) -> None:
    """Check that a statement can be parsed; one that the embedded Athena does not model is not checked.

    Raises:
        QueryError: it cannot.
    """
    text = _bare(sql)
    if view := re.fullmatch(_CREATE_VIEW, text, _FLAGS):
        text = _bare(view["query"])
    if re.match(_QUERY, text, _FLAGS):
        try:
            check_grammar(parse_tree(text))
        except QueryError as error:
            if error.code == "SYNTAX_ERROR":
                raise
    elif not re.match(_KNOWN, text, _FLAGS):
        raise QueryError("SYNTAX_ERROR", f"line 1:1: mismatched input '{' '.join(text.split()[:1])}'")


def run(
    sql: str, database: str, parameters: Sequence[str], catalog: CallerCatalog, session: QuerySession
) -> StatementResult:
    """Run one statement.

    Args:
        sql: the statement.
        database: database of unqualified names.
        parameters: SQL literals for `?`.
        catalog: the Glue catalog as the caller sees it.
        session: where its queries run.

    Raises:
        QueryError: the statement fails.
    """
    text = _bare(sql)
    for pattern, statement in _STATEMENTS:
        if match := re.fullmatch(pattern, text, _FLAGS):
            return statement(match, database, catalog, session)
    if re.match(_QUERY, text, _FLAGS):
        output = session.query(text, database, parameters, catalog)
        return StatementResult("DML", "SELECT", _result_set(output), output.scanned)
    raise not_supported(f"The statement {' '.join(text.split()[:2]).upper()}")


def _bare(sql: str) -> str:
    """Strip leading comments and the optional final semicolon."""
    leading = _LEADING.match(sql)
    return sql[leading.end() if leading else 0 :].strip().removesuffix(";").rstrip()


def _result_set(output: QueryOutput) -> ResultSet:
    names = [name if name is not None else f"_col{index}" for index, name in enumerate(output.columns)]
    return ResultSet(tuple(zip(names, output.kinds, strict=True)), output.rows, header=True)


def _create_view(match: re.Match[str], database: str, catalog: CallerCatalog, session: QuerySession) -> StatementResult:
    schema, name = _split(match["name"], database)
    catalog.require_database("default")
    catalog.require_database(schema)
    columns = session.columns_of_view(match["query"], database, catalog, name=(schema, name))
    catalog.put_view(schema, encode(name, match["query"], database, columns), replace=bool(match["replace"]))
    return StatementResult("DDL", "CREATE_VIEW")


def _drop_view(match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession) -> StatementResult:
    schema, name = _split(match["name"], database)
    catalog.require_database("default")
    try:
        catalog.drop_view(schema, name)
    except QueryError as error:
        if not (match["exists"] and error.code == "TABLE_NOT_FOUND"):
            raise
    return StatementResult("DDL", "DROP_VIEW")


def _show_tables(
    match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    schema = _unquoted(match["database"]) if match["database"] else database
    names = catalog.table_names(schema)
    if match["pattern"]:
        wanted = match["pattern"].replace("*", ".*")
        names = [name for name in names if re.fullmatch(wanted, name)]
    return StatementResult(
        "UTILITY", "SHOW_TABLES", ResultSet((("tab_name", _TEXT),), tuple((name,) for name in names))
    )


def _show_views(match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession) -> StatementResult:
    schema = _unquoted(match["database"]) if match["database"] else database
    names = [name for name in catalog.table_names(schema) if is_view(catalog.get_table(schema, name))]
    return StatementResult("UTILITY", "SHOW_VIEWS", ResultSet((("views", _TEXT),), tuple((name,) for name in names)))


def _describe(match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession) -> StatementResult:
    table = catalog.get_table(*_split(match["name"], database))
    keys = table.get("PartitionKeys", [])
    columns = [*table["StorageDescriptor"]["Columns"], *keys]
    view = is_view(table)
    lines = [
        _described(
            column["Name"], from_hive(column["Type"]).trino if view else column["Type"], column.get("Comment") or ""
        )
        for column in columns
    ]
    if keys:
        lines += ["", "# Partition Information", _described("# col_name", "data_type", "comment"), ""]
        lines += [_described(key["Name"], key["Type"], key.get("Comment") or "") for key in keys]
    names = tuple((name, _TEXT) for name in ("col_name", "data_type", "comment"))
    return StatementResult("UTILITY", "DESCRIBE_TABLE", ResultSet(names, tuple((line,) for line in lines)))


def _described(name: str, kind: str, comment: str) -> str:
    """Return a column's line in DESCRIBE: padded as in Hive, in a single field."""
    return f"{name:<20}\t{kind:<20}\t{comment:<20}"


def _split(name: str, database: str) -> tuple[str, str]:
    parts = [_unquoted(part) for part in re.findall(_NAME, name)]
    if len(parts) == 3 and parts[0] != CATALOG:
        raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{parts[0]}' does not exist")
    return parts[-2] if len(parts) > 1 else database.lower(), parts[-1]


def _unquoted(name: str) -> str:
    return name.strip('"`').lower()


_STATEMENTS: tuple[tuple[str, Callable[[re.Match[str], str, CallerCatalog, QuerySession], StatementResult]], ...] = (
    (_CREATE_VIEW, _create_view),
    (rf"DROP\s+VIEW\s+(?P<exists>IF\s+EXISTS\s+)?{_QUALIFIED}", _drop_view),
    (rf"SHOW\s+TABLES(?:\s+IN\s+(?P<database>{_NAME}))?(?:\s+'(?P<pattern>[^']*)')?", _show_tables),
    (rf"SHOW\s+VIEWS(?:\s+IN\s+(?P<database>{_NAME}))?", _show_views),
    (rf"DESC(?:RIBE)?\s+(?!EXTENDED\b|FORMATTED\b){_QUALIFIED}", _describe),
)
