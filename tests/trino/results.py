"""Query results of both engines, and whether two of them are the same."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlglot
from sqlglot import exp

from tests.embedded_aws.athena_lab import ended

Row = tuple[str | None, ...]

_NESTED = {exp.DType.ARRAY, exp.DType.MAP, exp.DType.STRUCT}
_REALS = {"double", "float"}


@dataclass(frozen=True)
class Result:
    """The result of a query."""

    columns: tuple[tuple[str, str], ...]
    """Name and type of each column, as in Athena's GetQueryResults."""
    rows: tuple[Row, ...]
    """Text in Athena's format, doubles in Python's."""
    trino_types: tuple[str, ...] = ()
    """The full type of each column; only from Trino."""
    now: datetime | None = None
    """The query's current_timestamp; only from Trino."""


class AthenaQueryError(Exception):
    """A query that failed in Athena; the message is the reason."""


def from_athena(athena: Any, sql: str, *, database: str, workgroup: str) -> Result:
    """Run a query in Athena.

    Raises:
        AthenaQueryError: the query failed.
    """
    try:
        execution = athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": database}, WorkGroup=workgroup
        )["QueryExecutionId"]
    except athena.exceptions.InvalidRequestException as error:
        raise AthenaQueryError(f"SYNTAX_ERROR: {error.response['Error']['Message']}") from error
    status = ended(athena, execution)["Status"]
    if status["State"] != "SUCCEEDED":
        raise AthenaQueryError(status["StateChangeReason"])
    pages = [
        page["ResultSet"] for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution)
    ]
    columns = tuple(
        (one["Name"], f"decimal({one['Precision']},{one['Scale']})" if one["Type"] == "decimal" else one["Type"])
        for one in pages[0]["ResultSetMetadata"]["ColumnInfo"]
    )
    # The first row repeats the names.
    rows = [tuple(cell.get("VarCharValue") for cell in row["Data"]) for page in pages for row in page["Rows"]][1:]
    return Result(columns, tuple(_with_python_reals(row, [kind for _, kind in columns]) for row in rows))


def from_trino(columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]], now: datetime) -> Result:
    """Convert a result of Trino.

    Args:
        columns: name and type, in Trino's notation.
        rows: values as in its protocol.
        now: when the query began.
    """
    kinds = [_athena_type(kind) for _, kind in columns]
    types = [exp.DataType.build(kind, dialect="trino") for _, kind in columns]
    return Result(
        tuple(zip((name for name, _ in columns), kinds, strict=True)),
        tuple(
            _with_python_reals(
                [None if value is None else _text(value, kind) for value, kind in zip(row, types, strict=True)], kinds
            )
            for row in rows
        ),
        tuple(kind for _, kind in columns),
        now,
    )


def differences(athena: Result, trino: Result, sql: str) -> list[str]:
    """Return the differences between two results of a query, empty if they are the same.

    Rows may come in any order within the query's: only the columns that it orders by must run alike.
    """
    if athena.columns != trino.columns:
        return [f"columns: Athena has {athena.columns}, Trino {trino.columns}"]
    of_athena, of_trino = Counter(athena.rows), Counter(trino.rows)
    found = [f"only Athena has {row}, {count} times" for row, count in (of_athena - of_trino).items()]
    found += [f"only Trino has {row}, {count} times" for row, count in (of_trino - of_athena).items()]
    keys = ordering(sql, [name for name, _ in athena.columns])
    if not found:
        pairs = zip(athena.rows, trino.rows, strict=True)
        found += [
            f"row {number} of Athena is {one}, of Trino {other}"
            for number, (one, other) in enumerate(pairs)
            if [one[key] for key in keys] != [other[key] for key in keys]
        ]
    return found


def ordering(sql: str, columns: Sequence[str]) -> list[int]:
    """Return the indexes of the columns that a query orders by, up to the first that it does not select."""
    tree = sqlglot.parse_one(sql, read="trino")
    order = tree.args.get("order")
    if order is None or not isinstance(tree, exp.Query):
        return []
    shown = [*columns]
    written = [one.unalias() for one in tree.selects]
    keys = []
    for ordered in order.expressions:
        key = ordered.this
        if isinstance(key, exp.Literal) and key.is_int:
            keys.append(int(key.name) - 1)
        elif isinstance(key, exp.Column) and not key.table and key.name in shown:
            keys.append(shown.index(key.name))
        elif key in written and len(written) == len(shown):
            keys.append(written.index(key))
        else:
            break
    return keys


def _athena_type(kind: str) -> str:
    """Convert a type of Trino to GetQueryResults's: `varchar(3)` is varchar, `array(bigint)` array, real float."""
    if kind.startswith("decimal"):
        return kind.replace(" ", "")
    bare = re.sub(r"\(.*\)", "", kind)
    return "float" if bare == "real" else bare.lower()


def _text(value: Any, kind: exp.DataType) -> str:
    """Return a value of Trino's protocol in Athena's format."""
    if value is None:
        return "null"
    if kind.this in _NESTED:
        return _nested(value, kind)
    if kind.this == exp.DType.VARBINARY:
        return base64.b64decode(value).hex(" ")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"No query has returned {value!r} yet: add how Athena formats it.")


def _nested(value: Any, kind: exp.DataType) -> str:
    if kind.this == exp.DType.ARRAY:
        return f"[{', '.join(_text(item, kind.expressions[0]) for item in value)}]"
    if kind.this == exp.DType.MAP:
        _, content = kind.expressions
        return f"{{{', '.join(f'{key}={_text(value[key], content)}' for key in sorted(value))}}}"
    fields = zip(kind.expressions, value, strict=True)
    return f"{{{', '.join(_field(index, *field) for index, field in enumerate(fields))}}}"


def _field(index: int, kind: Any, value: Any) -> str:
    """Return a field of a row in Athena's format; one without a name is called by its position."""
    if isinstance(kind, exp.ColumnDef):
        return f"{kind.name}={_text(value, kind.args['kind'])}"
    return f"field{index}={_text(value, kind)}"


def _with_python_reals(row: Sequence[str | None], kinds: Sequence[str]) -> Row:
    """Format doubles as Python does, since Java and JSON format them differently: 1.0E7 is 10000000.0."""
    return tuple(
        repr(float(cell)) if cell is not None and kind in _REALS else cell
        for cell, kind in zip(row, kinds, strict=True)
    )
