"""Errors of queries, in Athena's words."""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

_OWN = re.compile(
    r"(?:(?:Could not convert string|Unknown TimeZone) ')?(?P<code>[A-Z][A-Z_]+): (?P<text>.*?)(?:' to INT64|'!)?",
    re.DOTALL,
)
"""An error of a macro, within `try` or not."""


_MACRO = re.compile(r"Macro (?:tried_)?trino_(?P<name>\w+)\(\) does not support")
"""DuckDB's error about the arguments of a macro."""

_TRY = re.compile(r"TRY can not be used|inside the TRY expression|not allowed in try")
"""DuckDB's errors about what TRY does not accept."""


class QueryError(Exception):
    """A query that ends as FAILED.

    Args:
        code: Trino's error code, e.g. "TABLE_NOT_FOUND".
        text: the message.

    Source: https://github.com/trinodb/trino/blob/master/core/trino-spi/src/main/java/io/trino/spi/StandardErrorCode.java
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class RequestError(Exception):
    """A request that is answered with an error; no query ends because of it.

    Args:
        text: the message.
        code: `AthenaErrorCode`.
        kind: the error of the API.
    """

    def __init__(self, text: str, code: str, *, kind: str = "InvalidRequestException") -> None:
        super().__init__(text)
        self.code = code
        self.kind = kind


class AccessError(QueryError):
    """The caller may not read or write what the query needs."""

    def __init__(self, text: str) -> None:
        super().__init__("PERMISSION_DENIED", text)


def not_supported(what: str) -> QueryError:
    """Return the error for what would give a different result here than in Athena."""
    return QueryError("NOT_SUPPORTED", f"{what} (the embedded Athena does not model it)")


def from_duckdb(error: duckdb.Error) -> QueryError:
    """Return DuckDB's error with Trino's code and wording."""
    text = str(error)
    message = text.split("\n", 1)[0].partition(" Error: ")[2] or text
    if _TRY.search(message):
        return not_supported("try of this expression; use TRY_CAST, nullif or CASE")
    if macro := _MACRO.match(message):
        return QueryError(
            "FUNCTION_NOT_FOUND",
            f"Unexpected parameters for function {macro['name']}, or a form that is not modelled here",
        )
    if own := _OWN.fullmatch(message):
        return QueryError(own["code"], own["text"])
    code = next((code for kind, code in _CODES.items() if re.search(kind, message)), None)
    if code is None:
        code = next(
            (code for kind, code in _CODES_BY_TYPE.items() if isinstance(error, kind)), "GENERIC_INTERNAL_ERROR"
        )
    return QueryError(code, _in_trinos_words(message))


def _in_trinos_words(message: str) -> str:
    """Return DuckDB's message without its types, its columns and advice that only DuckDB could follow."""
    for pattern, words in _WORDS:
        if found := pattern.match(message):
            return words(found)
    return message


_INTEGERS = {"INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint"}
_OUT_OF_MEMORY = "The query needs more memory than this machine has for it"
_OPERATORS = {"addition": "+", "subtraction": "-", "multiplication": "*"}
_WORDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"Map keys must be unique"), lambda _: "Duplicate map keys are not allowed"),
    (re.compile(r"Map keys can not be NULL"), lambda _: "map key cannot be null"),
    (re.compile(r"Division by zero"), lambda _: "Division by zero"),
    (
        re.compile(r"Overflow in (addition|subtraction|multiplication) of (INT\d+) \((-?\d+) . (-?\d+)\)"),
        lambda found: (
            f"{_INTEGERS.get(found[2], found[2])} {found[1]} overflow: {found[3]} {_OPERATORS[found[1]]} {found[4]}"
        ),
    ),
    (re.compile(r"Out of Memory|failed to allocate|could not allocate", re.IGNORECASE), lambda _: _OUT_OF_MEMORY),
    (re.compile(r"Overflow on abs\((-?\d+)\)"), lambda found: f"Value {found[1]} is out of range for abs"),
    (re.compile(r"Overflow in negation"), lambda _: "negation overflow"),
    (re.compile(r"Overflow in division of (.+)"), lambda found: f"division overflow: {found[1]}"),
    (re.compile(r"Overflow in \w+ of DECIMAL"), lambda _: "Decimal overflow"),
    # DuckDB sums integers in 128 bits; nothing else has so many.
    (re.compile(r"Type INT128 with value \S+ can't be cast"), lambda _: "bigint addition overflow"),
    (
        re.compile(
            r"Type \w+ with value (\S+) can't be cast because .* out of range for the destination type (INT\d+)\b"
        ),
        lambda found: f"Out of range for {_INTEGERS.get(found[2], found[2])}: {found[1]}",
    ),
    (
        re.compile(r"Unimplemented type for cast \((.+) -> (.+)\)"),
        lambda found: f"Cannot cast {found[1].lower()} to {found[2].lower()}",
    ),
    (
        re.compile(r"Casting value \"(.*)\" to type (DECIMAL\(\d+,\d+\)) failed"),
        lambda found: f"Cannot cast '{found[1]}' to {found[2]}",
    ),
)

_CODES = {
    r"^Map keys (?:must be unique|can not be NULL)": "INVALID_FUNCTION_ARGUMENT",
    r"Division by zero": "DIVISION_BY_ZERO",
    r"^Type INT128 with value \S+ can't be cast": "NUMERIC_VALUE_OUT_OF_RANGE",
    r"^Unimplemented type for cast": "TYPE_MISMATCH",
    r"No function matches.*'[^\w\s]+\(": "TYPE_MISMATCH",
    r"must appear in the GROUP BY clause|cannot contain aggregates|GROUP BY": "EXPRESSION_NOT_AGGREGATE",
    r"Macro \w+\(\) does not support|No function matches": "FUNCTION_NOT_FOUND",
    r"Table with name": "TABLE_NOT_FOUND",
    r"Referenced column": "COLUMN_NOT_FOUND",
}
"""Pattern in DuckDB's message → Trino's code."""

_CODES_BY_TYPE: dict[type[duckdb.Error], str] = {
    duckdb.ConversionException: "INVALID_CAST_ARGUMENT",
    duckdb.OutOfMemoryException: "EXCEEDED_LOCAL_MEMORY_LIMIT",
    duckdb.OutOfRangeException: "NUMERIC_VALUE_OUT_OF_RANGE",
    duckdb.BinderException: "TYPE_MISMATCH",
}
