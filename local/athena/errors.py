"""Why a query fails, in Athena's words."""

from __future__ import annotations

import re

import duckdb

_OWN = re.compile(r"(?P<code>[A-Z][A-Z_]+): (?P<text>.*)", re.DOTALL)


class QueryError(Exception):
    """A query that ends as FAILED.

    Args:
        code: Trino's error code, e.g. "TABLE_NOT_FOUND".
        text: what is wrong.

    Source: https://github.com/trinodb/trino/blob/master/core/trino-spi/src/main/java/io/trino/spi/StandardErrorCode.java
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code


class AccessError(QueryError):
    """The caller may not read or write what the query needs."""

    def __init__(self, text: str) -> None:
        super().__init__("PERMISSION_DENIED", text)


def not_supported(what: str) -> QueryError:
    """Return the refusal of what would be answered differently here than in Athena."""
    return QueryError("NOT_SUPPORTED", f"{what} (the embedded Athena does not model it)")


def from_duckdb(error: duckdb.Error) -> QueryError:
    """Translate what DuckDB says into Trino's code and words."""
    text = str(error)
    message = text.split("\n", 1)[0].partition(" Error: ")[2] or text
    if own := _OWN.match(message):
        return QueryError(own["code"], own["text"])
    if "Division by zero" in message:
        return QueryError("DIVISION_BY_ZERO", "Division by zero")
    for kind, code in _CODES.items():
        if re.search(kind, message):
            return QueryError(code, message)
    if isinstance(error, duckdb.ConversionException):
        return QueryError("INVALID_CAST_ARGUMENT", message)
    if isinstance(error, duckdb.OutOfRangeException):
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", message)
    if isinstance(error, duckdb.BinderException):
        return QueryError("TYPE_MISMATCH", message)
    return QueryError("GENERIC_INTERNAL_ERROR", message)


_CODES = {
    r"No function matches.*'[^\w\s]+\(": "TYPE_MISMATCH",
    r"must appear in the GROUP BY clause|cannot contain aggregates|GROUP BY": "EXPRESSION_NOT_AGGREGATE",
    r"Macro \w+\(\) does not support|No function matches": "FUNCTION_NOT_FOUND",
    r"Table with name": "TABLE_NOT_FOUND",
    r"Referenced column": "COLUMN_NOT_FOUND",
}
