"""Result sets as Athena returns them: in a CSV object and through GetQueryResults.

Source: https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from embedded_aws.services.athena.errors import not_supported
from embedded_aws.services.athena.json_text import trino_json
from embedded_aws.services.athena.types import SqlType

_PRECISIONS = {
    "varchar": 2147483647,
    "varbinary": 1073741824,
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 17,
    "double": 17,
    "timestamp": 3,
    "timestamp with time zone": 3,
}


@dataclass(frozen=True)
class ResultSet:
    """The rows of a statement."""

    columns: tuple[tuple[str, SqlType], ...] = ()
    """Name and type of each column."""

    rows: tuple[tuple[str | None, ...], ...] = ()
    """Values as Athena writes them; None is NULL."""

    header: bool = False
    """Whether the names form a row of their own; not for SHOW and DESCRIBE."""

    def csv(self) -> bytes:
        """Return the result object of a query: every value quoted, NULL left empty."""
        lines = [tuple(name for name, _ in self.columns)] if self.header else []
        written = [",".join(_csv_field(field) for field in row) for row in (*lines, *self.rows)]
        return "".join(f"{line}\n" for line in written).encode()

    def text(self) -> bytes:
        """Return the result object of a statement other than a query."""
        return "".join("\t".join(field or "" for field in row) + "\n" for row in self.rows).encode()

    def page(self, start: int, size: int) -> tuple[dict[str, Any], int | None]:
        """Return a page of a `ResultSet` from row `start`, and the start of the next page; None after the last."""
        rows = self.rows
        if self.header:
            rows = (tuple(name for name, _ in self.columns), *rows)
        shown = [
            {"Data": [{} if field is None else {"VarCharValue": field} for field in row]}
            for row in rows[start : start + size]
        ]
        following = start + size if start + size < len(rows) else None
        columns = [_info(*column) for column in self.columns]
        return {"Rows": shown, "ResultSetMetadata": {"ColumnInfo": columns}}, following


def format_rows(
    rows: Sequence[Sequence[Any]], kinds: Sequence[SqlType], zones: Sequence[str] = ()
) -> tuple[tuple[str | None, ...], ...]:
    """Return values as Athena writes them.

    Args:
        rows: values as DuckDB returns them.
        kinds: types of the columns.
        zones: zones of the columns; all are UTC without it.

    Raises:
        QueryError: a zone is unknown.
    """
    places = {index: _zone(name) for index, name in enumerate(zones) if name != "UTC"}
    return tuple(
        tuple(
            None if value is None else _moment(value, places[index]) if index in places else _text(value, kind)
            for index, (value, kind) in enumerate(zip(row, kinds, strict=True))
        )
        for row in rows
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise not_supported(f"A result in the time zone {name}") from None


def _csv_field(field: str | None) -> str:
    return "" if field is None else '"' + field.replace('"', '""') + '"'


def _info(name: str, kind: SqlType) -> dict[str, Any]:
    precision, scale = _PRECISIONS.get(kind.name, 0), 0
    if kind.name == "decimal":
        precision, scale = kind.parameters
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": "float" if kind.name == "real" else kind.name,
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind.name == "varchar",
    }


def _text(value: Any, kind: SqlType) -> str:
    if value is None:
        return "null"
    if kind.parts:
        return _nested(value, kind)
    if kind.name == "json":
        return trino_json(value, java_double)
    write = _WRITERS.get(type(value), str)
    return write(value)


def _nested(value: Any, kind: SqlType) -> str:
    if kind.name == "array":
        return f"[{', '.join(_text(item, kind.parts[0][1]) for item in value)}]"
    if kind.name == "map":
        key, content = kind.parts[0][1], kind.parts[1][1]
        return f"{{{', '.join(f'{_text(name, key)}={_text(item, content)}' for name, item in value.items())}}}"
    parts = zip(value.values(), kind.parts, strict=True)
    return f"{{{', '.join(f'{name}={_text(item, part)}' for item, (name, part) in parts)}}}"


def _moment(value: datetime, place: ZoneInfo | None = None) -> str:
    zone = ""
    if value.tzinfo is not None:
        value, zone = value.astimezone(place or UTC), f" {place or 'UTC'}"
    return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}{zone}"


def _span(value: timedelta) -> str:
    milliseconds = round(abs(value) / timedelta(milliseconds=1))
    days, rest = divmod(milliseconds, 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    sign = "-" if value < timedelta(0) else ""
    return f"{sign}{days} {hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def java_double(value: float) -> str:
    """Return a double as Java writes it: with an exponent from ten million up and below a thousandth."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        text = f"{Decimal(repr(value)):f}"
        return text if "." in text else f"{text}.0"
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    significant = "".join(map(str, digits)).rstrip("0")
    power = int(exponent) + len(digits) - 1
    return f"{'-' if sign else ''}{significant[0]}.{significant[1:] or '0'}E{power}"


_WRITERS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    bytes: lambda value: value.hex(" "),
    date: date.isoformat,
    datetime: _moment,
    timedelta: _span,
    Decimal: lambda value: f"{value:f}",
    float: java_double,
}
