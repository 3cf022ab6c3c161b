"""Athena's statements, as far as they are modelled: queries, views, SHOW and DESCRIBE.

Source: https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from embedded_aws.services.athena import shown
from embedded_aws.services.athena.catalog import CallerCatalog
from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.results import ResultSet
from embedded_aws.services.athena.sql.checks import check_grammar
from embedded_aws.services.athena.sql.parsing import parse_tree
from embedded_aws.services.athena.views import CATALOG, encode
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


def _show(match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession) -> StatementResult:
    what = re.sub(r"\s+", "_", match["what"].upper()).replace("SCHEMAS", "DATABASES")
    found = match.groupdict()
    schema = _unquoted(found["database"]) if found.get("database") else database.lower()
    if show := _OF_DATABASES.get(what):
        result = show(catalog, schema, found.get("pattern"))
    else:
        result = _OF_TABLES[what](catalog, *_split(match["name"], schema))
    return StatementResult("UTILITY", f"SHOW_{what}", result)


def _describe(match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession) -> StatementResult:
    result = shown.description(catalog, *_split(match["name"], database))
    return StatementResult("UTILITY", "DESCRIBE_TABLE", result)


def _split(name: str, database: str) -> tuple[str, str]:
    parts = [_unquoted(part) for part in re.findall(_NAME, name)]
    if len(parts) == 3 and parts[0] != CATALOG:
        raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{parts[0]}' does not exist")
    return parts[-2] if len(parts) > 1 else database.lower(), parts[-1]


def _unquoted(name: str) -> str:
    return name.strip('"`').lower()


_OF_DATABASES: dict[str, Callable[[CallerCatalog, str, str | None], ResultSet]] = {
    "DATABASES": lambda catalog, _database, pattern: shown.databases(catalog, pattern),
    "TABLES": shown.tables,
    "VIEWS": shown.views,
}
_OF_TABLES: dict[str, Callable[[CallerCatalog, str, str], ResultSet]] = {
    "COLUMNS": shown.columns,
    "CREATE_TABLE": shown.table_statement,
    "CREATE_VIEW": shown.view_statement,
    "PARTITIONS": shown.partitions,
    "TBLPROPERTIES": shown.properties,
}
_LIKE = r"(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?"
_STATEMENTS: tuple[tuple[str, Callable[[re.Match[str], str, CallerCatalog, QuerySession], StatementResult]], ...] = (
    (_CREATE_VIEW, _create_view),
    (rf"DROP\s+VIEW\s+(?P<exists>IF\s+EXISTS\s+)?{_QUALIFIED}", _drop_view),
    (rf"SHOW\s+(?P<what>DATABASES|SCHEMAS){_LIKE}", _show),
    (rf"SHOW\s+(?P<what>TABLES|VIEWS)(?:\s+(?:IN|FROM)\s+(?P<database>{_NAME}))?{_LIKE}", _show),
    (
        rf"SHOW\s+(?P<what>COLUMNS)\s+(?:IN|FROM)\s+{_QUALIFIED}(?:\s+(?:IN|FROM)\s+(?P<database>{_NAME}))?",
        _show,
    ),
    (rf"SHOW\s+(?P<what>PARTITIONS|TBLPROPERTIES|CREATE\s+TABLE|CREATE\s+VIEW)\s+{_QUALIFIED}", _show),
    (rf"DESC(?:RIBE)?\s+(?!EXTENDED\b|FORMATTED\b){_QUALIFIED}", _describe),
)
