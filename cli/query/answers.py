"""The answer to a query: its rows in a file on this machine, however many there are."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import duckdb

from cli.athena_queries import FinishedQuery
from cli.errors import CommandError
from cli.spreadsheets import defused
from cli.text import quoted

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_s3 import S3Client

FileFormat = Literal["csv", "json", "parquet"]

_CHUNK_BYTES = 1 << 20
_LONGEST_LINE_BYTES = 1 << 25
"""Athena's own limit for a row is 32 MB."""
_SIMPLE_TYPES = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
}
"""DuckDB's type by Athena's; all others but decimals and bytes stay text, also lists and structures."""
_NUMBERS = frozenset({"tinyint", "smallint", "integer", "bigint", "float", "double", "decimal"})
_WITHOUT_TEXT = _NUMBERS | {"boolean", "date", "timestamp", "timestamp with time zone"}
"""Types whose values no spreadsheet takes for formulas."""


@dataclass(frozen=True)
class ResultColumn:
    """A column of an answer."""

    name: str
    """Unique within the answer."""
    type: str
    """Athena's name of the type."""
    sql_type: str
    """DuckDB's."""

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type in _NUMBERS


class QueryAnswer:
    """The rows of a query.

    Args:
        path: of a file as Athena writes it: CSV with every value quoted, and nothing for null.
        columns: of the file.
    """

    def __init__(self, path: Path, columns: Sequence[ResultColumn]) -> None:
        self.columns = tuple(columns)
        self._database = duckdb.connect()
        # One thread writes the rows as it reads them; several would collect them in memory to keep their order.
        self._database.execute("SET TimeZone = 'UTC'; SET threads = 1")
        names = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(self.columns)))
        self._source = (
            f"read_csv({_literal(str(path))}, columns = {{{names}}}, auto_detect = false, header = true, delim = ',', "
            "quote = '\"', escape = '\"', allow_quoted_nulls = false, new_line = '\\n', parallel = false, "
            f"max_line_size = {_LONGEST_LINE_BYTES}, buffer_size = {2 * _LONGEST_LINE_BYTES})"
        )

    def count(self) -> int:
        """Return the number of rows."""
        [(count,)] = self._rows("count(*)")
        return int(count)

    def head(self, number: int) -> list[tuple[str | None, ...]]:
        """Return the first rows as text; None is null."""
        return self._rows("*", f"LIMIT {number}")

    def write(self, form: FileFormat, path: Path) -> None:
        """Write all rows.

        Args:
            form: `csv`: text, with formulas of spreadsheets defused; `json`: an object a line; `parquet`: typed.
            path: of the file.

        Raises:
            CommandError: the file cannot be written.
        """
        expressions = {"csv": self._csv, "json": self._json, "parquet": self._typed}[form]
        options = {"csv": "FORMAT csv, HEADER", "json": "FORMAT json", "parquet": "FORMAT parquet, COMPRESSION zstd"}
        names = [_name(column.name) for column in self.columns]
        if form == "csv":
            names = [f"'{name}" if self._is_formula(name) else name for name in names]
        wanted = ", ".join(
            f"{expressions(f'c{index}', column)} AS {_identifier(name)}"
            for index, (column, name) in enumerate(zip(self.columns, names, strict=True))
        )
        try:
            self._database.execute(
                f"COPY (SELECT {wanted} FROM {self._source}) TO {_literal(str(path))} ({options[form]})"  # noqa: S608 - every name is quoted
            )
        except duckdb.Error as error:
            raise CommandError(f"The rows cannot be written to {path} ({quoted(error)}).") from error

    def _rows(self, wanted: str, rest: str = "") -> list[Any]:
        return self._database.execute(f"SELECT {wanted} FROM {self._source} {rest}").fetchall()  # noqa: S608 - all parts are this module's

    def _is_formula(self, text: str) -> bool:
        [(found,)] = self._database.execute(f"SELECT {defused('t')} <> t FROM (SELECT ? AS t)", [text]).fetchall()  # noqa: S608 - a constant
        return bool(found)

    @staticmethod
    def _csv(value: str, column: ResultColumn) -> str:
        return value if column.type in _WITHOUT_TEXT else defused(value)

    @staticmethod
    def _typed(value: str, column: ResultColumn) -> str:
        if column.type == "varbinary":
            return f"unhex(replace({value}, ' ', ''))"
        return f"CAST({value} AS {column.sql_type})"

    @classmethod
    def _json(cls, value: str, column: ResultColumn) -> str:
        if column.type == "varbinary":
            return value
        typed = cls._typed(value, column)
        # JSON has neither infinity nor NaN.
        return f"CASE WHEN isfinite({typed}) THEN {typed} END" if column.type in {"float", "double"} else typed


def fetch(
    athena: AthenaClient,
    s3: S3Client,
    query: FinishedQuery,
    folder: Path,
    on_size: Callable[[int], None] = lambda _: None,
    on_bytes: Callable[[int], None] = lambda _: None,
) -> QueryAnswer | None:
    """Download the answer to a query; None if it has no columns, as with DDL.

    Args:
        athena: a client.
        s3: a client.
        query: the query.
        folder: where its file goes.
        on_size: called with the number of bytes to download.
        on_bytes: called with the number of bytes that have just arrived.

    Raises:
        CommandError: the file cannot be written.
    """
    result = athena.get_query_results(QueryExecutionId=query.id, MaxResults=1)["ResultSet"]
    columns = _columns(result["ResultSetMetadata"].get("ColumnInfo", []))
    if not columns:
        return None
    path = folder / "rows.csv"
    address = urlsplit(query.location)
    try:
        with path.open("wb") as file:
            if address.path.endswith(".csv"):
                found = s3.get_object(Bucket=address.netloc, Key=address.path.lstrip("/"))
                on_size(found["ContentLength"])
                for chunk in found["Body"].iter_chunks(_CHUNK_BYTES):
                    file.write(chunk)
                    on_bytes(len(chunk))
    except OSError as error:
        raise CommandError(
            f"The answer cannot be stored in {folder} ({error.strerror}): free some space there, or set TMPDIR to "
            "another folder."
        ) from error
    if not address.path.endswith(".csv"):
        _write_pages(athena, query, path, columns)
    return QueryAnswer(path, columns)


def _write_pages(athena: AthenaClient, query: FinishedQuery, path: Path, columns: Sequence[ResultColumn]) -> None:
    """Write what SHOW and the like answer; their object in S3 is plain text, and their pages have no header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=query.id):
            writer.writerows(
                [cell.get("VarCharValue", "") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]
            )


def _columns(described: Sequence[Any]) -> list[ResultColumn]:
    columns: list[ResultColumn] = []
    taken: set[str] = set()
    for column in described:
        name, number = column["Name"], 1
        # Athena allows a name twice; DuckDB, which ignores case, does not.
        while name.lower() in taken:
            number += 1
            name = f"{column['Name']}_{number}"
        taken.add(name.lower())
        kind = column["Type"]
        sql_type = (
            f"DECIMAL({column['Precision']}, {column['Scale']})"
            if kind == "decimal"
            else _SIMPLE_TYPES.get(kind, "VARCHAR")
        )
        columns.append(ResultColumn(name, kind, sql_type))
    return columns


def _name(name: str) -> str:
    """Return a name that DuckDB takes, which an empty one is not."""
    return name or "_"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
