"""Athena's statements, as far as they are modelled: queries, views, databases, tables, partitions, SHOW and DESCRIBE.

Source: https://docs.aws.amazon.com/athena/latest/ug/ddl-sql-reference.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from embedded_aws.services.athena import definitions, partition_statements, shown, writing
from embedded_aws.services.athena.catalog import CallerCatalog
from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.explaining import explained, explanation
from embedded_aws.services.athena.partition_statements import PLACED, SPECIFICATION
from embedded_aws.services.athena.results import ResultSet
from embedded_aws.services.athena.sql.checks import check_grammar
from embedded_aws.services.athena.sql.parsing import parse, parse_tree
from embedded_aws.services.athena.types import from_hive
from embedded_aws.services.athena.views import CATALOG, encode
from embedded_aws.services.athena.warehouse import QueryOutput, QuerySession
from embedded_aws.services.athena.writing import Destination, PendingWrite, Statement
from embedded_aws.services.athena.written import (
    NAME,
    QUALIFIED,
    Insertion,
    Unloading,
    Write,
    check_properties,
    external_location,
    parsed_write,
    substatement,
    unquoted,
    written_query,
)

_QUERY = r"(SELECT|WITH|VALUES|TABLE)\b|\("
_CREATE_VIEW = rf"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?VIEW\s+{QUALIFIED}\s+AS\s+(?P<query>.+)"
_KNOWN = (
    r"(ALTER|ANALYZE|CALL|COMMENT|CREATE|DEALLOCATE|DELETE|DENY|DESC|DESCRIBE|DROP|EXECUTE|EXPLAIN|GRANT|INSERT|MERGE"
    r"|MSCK|OPTIMIZE|PREPARE|REFRESH|REVOKE|SHOW|TRUNCATE|UNLOAD|UPDATE|USE|VACUUM)\b"
)
"""What statements of Athena and Trino begin with."""

_TWO_WORDS = {"ALTER", "CREATE", "DELETE", "DROP", "INSERT", "MERGE", "MSCK", "REFRESH", "SHOW", "TRUNCATE"}
"""First words of statements whose second one belongs to their name."""
_SOME_FORMS = (
    *(("ALTER", what) for what in ("DATABASE", "SCHEMA", "TABLE")),
    *(("CREATE", what) for what in ("DATABASE", "SCHEMA", "TABLE", "VIEW")),
    ("DESC",),
    ("DESCRIBE",),
    ("DROP", "TABLE"),
)
"""First words of statements of which other forms run."""
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

    written: PendingWrite | None = None
    """What is to be written before the statement succeeds."""


def kind_of(sql: str) -> str:
    """Return the `StatementType` of a statement, valid or not."""
    word = re.match(r"\w+", _bare(sql))
    return {
        "CREATE": "DDL",
        "DROP": "DDL",
        "SHOW": "UTILITY",
        "DESCRIBE": "UTILITY",
        "ALTER": "DDL",
        "MSCK": "DDL",
        "EXECUTE": "UTILITY",
        "EXPLAIN": "UTILITY",
    }.get(word[0].upper() if word else "", "DML")


def result_object(sql: str, identifier: str) -> str:
    """Return the name of a statement's result object, below the folder of results.

    One that writes has none, only a name that others derive from it.
    Source: https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
    """
    written = substatement(_bare(sql))
    if written is None:
        return f"{identifier}.{'csv' if kind_of(sql) == 'DML' else 'txt'}"
    return f"tables/{identifier}" if written == "CREATE_TABLE_AS_SELECT" else identifier


def places_table(sql: str) -> bool:
    """Return whether a statement is CREATE TABLE AS with a location of its own."""
    return external_location(_bare(sql))


def check_syntax(sql: str) -> None:
    """Check that a statement can be parsed; one that the embedded Athena does not model is not checked.

    Raises:
        QueryError: it cannot.
    """
    text = _bare(sql)
    text = explained(text) or text
    if view := re.fullmatch(_CREATE_VIEW, text, _FLAGS):
        # The text that is parsed again, and then found in a cache, when the statement runs.
        text = view["query"]
    elif (query := written_query(text)) is not None:
        check_properties(text)
        text = _bare(query)
    if re.match(_QUERY, _bare(text), _FLAGS):
        try:
            check_grammar(parse_tree(text))
        except QueryError as error:
            if error.code == "SYNTAX_ERROR":
                raise
    elif not re.match(_KNOWN, text, _FLAGS):
        raise QueryError("SYNTAX_ERROR", f"line 1:1: mismatched input '{' '.join(text.split()[:1])}'")


def run(
    sql: str,
    database: str,
    parameters: Sequence[str],
    catalog: CallerCatalog,
    session: QuerySession,
    destination: Destination,
) -> StatementResult:
    """Run one statement.

    Args:
        sql: the statement.
        database: database of unqualified names.
        parameters: SQL literals for `?`.
        catalog: the Glue catalog as the caller sees it.
        session: where its queries run.
        destination: where it writes.

    Raises:
        QueryError: the statement fails.
    """
    text = _bare(sql)
    if (query := explained(text)) is not None:
        if not re.match(_QUERY, query, _FLAGS):
            raise not_supported("EXPLAIN of other than a query")
        session.described(query, database, parameters, catalog)
        result = explanation(text, parse(query, database, tuple(parameters)).tree)
        return StatementResult("UTILITY", "EXPLAIN", result)
    if (write := parsed_write(text)) is not None:
        return _write(write, Statement(database, parameters, catalog, session), destination)
    for pattern, statement in _STATEMENTS:
        if match := re.fullmatch(pattern, text, _FLAGS):
            return statement(match, database, catalog, session)
    if re.match(_QUERY, text, _FLAGS):
        output = session.query(text, database, parameters, catalog)
        return StatementResult("DML", "SELECT", _result_set(output), output.scanned)
    raise not_supported(_unknown(text))


def _unknown(text: str) -> str:
    """Return what a statement is called that nothing here runs: its first words as far as they name no object."""
    words = text.upper().split()
    if found := next((form for form in _SOME_FORMS if words[: len(form)] == list(form)), None):
        return f"This form of {' '.join(found)}"
    return f"The statement {' '.join(words[: 2 if words[0] in _TWO_WORDS else 1])}"


def _write(write: Write, given: Statement, destination: Destination) -> StatementResult:
    if isinstance(write, Unloading):
        kind, written = ("DML", "UNLOAD"), writing.unload(write, given, destination)
    elif isinstance(write, Insertion):
        name = _split(write.name, given.database)
        kind, written = ("DML", "INSERT"), writing.insert(write, name, given, destination)
    else:
        name = _split(write.name, given.database)
        kind = ("DDL", "CREATE_TABLE_AS_SELECT")
        written = writing.create_table(write, name, given, destination)
    return StatementResult(*kind, ResultSet((("rows", from_hive("bigint")),)), written.scanned, written)


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
    schema = unquoted(found["database"]) if found.get("database") else database.lower()
    if show := _OF_DATABASES.get(what):
        result = show(catalog, schema, found.get("pattern"))
    else:
        result = _OF_TABLES[what](catalog, *_split(match["name"], schema))
    return StatementResult("UTILITY", f"SHOW_{what}", result)


def _describe(match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession) -> StatementResult:
    result = shown.description(catalog, *_split(match["name"], database))
    return StatementResult("UTILITY", "DESCRIBE_TABLE", result)


def _drop_table(match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession) -> StatementResult:
    partition_statements.drop_table(catalog, _split(match["name"], database), if_present=bool(match["exists"]))
    return StatementResult("DDL", "DROP_TABLE")


def _add_partitions(
    match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    name = _split(match["name"], database)
    partition_statements.add_partitions(catalog, name, match["partitions"], if_missing=bool(match["exists"]))
    return StatementResult("DDL", "ALTER_TABLE_ADD_PARTITION")


def _drop_partitions(
    match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    name = _split(match["name"], database)
    partition_statements.drop_partitions(catalog, name, match["partitions"], if_present=bool(match["exists"]))
    return StatementResult("DDL", "ALTER_TABLE_DROP_PARTITION")


def _repair(match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession) -> StatementResult:
    result = partition_statements.repair(catalog, _split(match["name"], database))
    return StatementResult("DDL", "MSCK_REPAIR_TABLE", result)


def _create_database(
    match: re.Match[str], _database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    definitions.create_database(
        catalog,
        unquoted(match["name"]),
        if_missing=bool(match["exists"]),
        comment=match["comment"],
        location=match["location"],
        assignments=match["properties"],
    )
    return StatementResult("DDL", "CREATE_DATABASE")


def _set_database_properties(
    match: re.Match[str], _database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    definitions.set_database_properties(catalog, unquoted(match["name"]), match["properties"])
    return StatementResult("DDL", "ALTER_DATABASE_SET_DBPROPERTIES")


def _drop_database(
    match: re.Match[str], _database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    name = unquoted(match["name"])
    definitions.drop_database(catalog, name, if_present=bool(match["exists"]), cascade=bool(match["cascade"]))
    return StatementResult("DDL", "DROP_DATABASE")


def _create_table(
    match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    definitions.create_table(catalog, match[0], database)
    return StatementResult("DDL", "CREATE_TABLE")


def _set_properties(
    match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    definitions.set_properties(catalog, _split(match["name"], database), match["properties"])
    return StatementResult("DDL", "ALTER_TABLE_SET_TBLPROPERTIES")


def _set_location(
    match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    definitions.set_location(catalog, _split(match["name"], database), match["location"])
    return StatementResult("DDL", "ALTER_TABLE_SET_LOCATION")


def _change_columns(
    match: re.Match[str], database: str, catalog: CallerCatalog, _session: QuerySession
) -> StatementResult:
    how = match["how"].upper()
    change = definitions.add_columns if how == "ADD" else definitions.replace_columns
    change(catalog, _split(match["name"], database), match["columns"])
    return StatementResult("DDL", f"ALTER_TABLE_{how}_COLUMNS")


def _split(name: str, database: str) -> tuple[str, str]:
    parts = [unquoted(part) for part in re.findall(NAME, name)]
    if len(parts) == 3 and parts[0] != CATALOG:
        raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{parts[0]}' does not exist")
    return parts[-2] if len(parts) > 1 else database.lower(), parts[-1]


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
_DROP_PARTITIONS = (
    rf"ALTER\s+TABLE\s+{QUALIFIED}\s+DROP\s+(?P<exists>IF\s+EXISTS\s+)?"
    rf"(?P<partitions>{SPECIFICATION}(?:\s*,\s*{SPECIFICATION})*)"
)
_CREATE_DATABASE = (
    rf"CREATE\s+(?:DATABASE|SCHEMA)\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})"
    r"(?:\s+COMMENT\s+'(?P<comment>[^']*)')?(?:\s+LOCATION\s+'(?P<location>[^']*)')?"
    r"(?:\s+WITH\s+DBPROPERTIES\s*\((?P<properties>.+)\))?"
)
_LIKE = r"(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?"
_STATEMENTS: tuple[tuple[str, Callable[[re.Match[str], str, CallerCatalog, QuerySession], StatementResult]], ...] = (
    (_CREATE_VIEW, _create_view),
    (rf"DROP\s+VIEW\s+(?P<exists>IF\s+EXISTS\s+)?{QUALIFIED}", _drop_view),
    (rf"DROP\s+TABLE\s+(?P<exists>IF\s+EXISTS\s+)?{QUALIFIED}", _drop_table),
    (
        rf"ALTER\s+TABLE\s+{QUALIFIED}\s+ADD\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<partitions>{PLACED}(?:\s*{PLACED})*)",
        _add_partitions,
    ),
    (_DROP_PARTITIONS, _drop_partitions),
    (_CREATE_DATABASE, _create_database),
    (
        rf"ALTER\s+(?:DATABASE|SCHEMA)\s+(?P<name>{NAME})\s+SET\s+DBPROPERTIES\s*\((?P<properties>.+)\)",
        _set_database_properties,
    ),
    (
        rf"DROP\s+(?:DATABASE|SCHEMA)\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>{NAME})(?:\s+RESTRICT|\s+(?P<cascade>CASCADE))?",
        _drop_database,
    ),
    (r"CREATE\s+EXTERNAL\s+TABLE\s.+", _create_table),
    (rf"ALTER\s+TABLE\s+{QUALIFIED}\s+SET\s+TBLPROPERTIES\s*\((?P<properties>.+)\)", _set_properties),
    (rf"ALTER\s+TABLE\s+{QUALIFIED}\s+SET\s+LOCATION\s+'(?P<location>[^']*)'", _set_location),
    (rf"ALTER\s+TABLE\s+{QUALIFIED}\s+(?P<how>ADD|REPLACE)\s+COLUMNS\s*\((?P<columns>.+)\)", _change_columns),
    (rf"MSCK\s+REPAIR\s+TABLE\s+{QUALIFIED}", _repair),
    (rf"SHOW\s+(?P<what>DATABASES|SCHEMAS){_LIKE}", _show),
    (rf"SHOW\s+(?P<what>TABLES|VIEWS)(?:\s+(?:IN|FROM)\s+(?P<database>{NAME}))?{_LIKE}", _show),
    (
        rf"SHOW\s+(?P<what>COLUMNS)\s+(?:IN|FROM)\s+{QUALIFIED}(?:\s+(?:IN|FROM)\s+(?P<database>{NAME}))?",
        _show,
    ),
    (rf"SHOW\s+(?P<what>PARTITIONS|TBLPROPERTIES|CREATE\s+TABLE|CREATE\s+VIEW)\s+{QUALIFIED}", _show),
    (rf"DESC(?:RIBE)?\s+(?!EXTENDED\b|FORMATTED\b){QUALIFIED}", _describe),
)
