"""The files of a statement that writes: one for each partition, in Parquet, JSON or text.

Trino's files of the same rows, without compression, have the same text in JSON and TEXTFILE.
"""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.parquet import NO_VALUE
from embedded_aws.services.athena.results import java_double
from embedded_aws.services.athena.types import SqlType
from embedded_aws.services.athena.written import FileFormat

_MOST_PARTITIONS = 100
"""Source: https://docs.aws.amazon.com/athena/latest/ug/ctas-insert-into.html"""

_KEY_KINDS = {"varchar", "tinyint", "smallint", "integer", "bigint", "boolean", "date"}
_PRINTABLE = re.compile(r"[ -~]*")
_ESCAPED = re.compile(r"[\"#%'*/:=?\\{\[\]^]")
"""What Hive writes as %XX in the name of a partition's folder."""
_CONTROL = re.compile(r"\\u[0-9a-f]{4}")
_FIRST_YEAR = 1000


@dataclass(frozen=True)
class WrittenFile:
    """The file of one partition; the only one of a table without partitions."""

    values: tuple[str, ...]
    """Values of the partition keys."""

    content: bytes


def files_of(
    rows: pa.Table, columns: Sequence[tuple[str, SqlType]], keys: Sequence[str], form: FileFormat
) -> list[WrittenFile]:
    """Return the files of rows; none without rows.

    Args:
        rows: as DuckDB returns them.
        columns: name and type of each, partition keys last.
        keys: names of the partition keys.
        form: how files are written.

    Raises:
        QueryError: there are too many partitions, or a value cannot be written.
    """
    arrays = [_converted(rows.column(place), kind) for place, (_, kind) in enumerate(columns)]
    table = pa.Table.from_arrays(arrays, names=[name for name, _ in columns])
    count = len(columns) - len(keys)
    write = _WRITERS[form.name]
    return [
        WrittenFile(values, write(part.select(range(count)), columns[:count], form))
        for values, part in _partitioned(table, columns[count:])
    ]


def folder(keys: Sequence[str], values: Sequence[str]) -> str:
    """Return the folders of a partition, e.g. `dt=2026-01-01/kind=a%2Fb`."""
    return "/".join(f"{_escaped(key)}={_escaped(value)}" for key, value in zip(keys, values, strict=True))


def check_keys(columns: Sequence[tuple[str, SqlType]]) -> None:
    """Check that values of partition keys can be written.

    Raises:
        QueryError: a type is not modelled.
    """
    for name, kind in columns:
        if kind.name not in _KEY_KINDS:
            raise not_supported(f"The partition key {name} of type {kind.trino}; cast it to varchar")


def _converted(column: Any, kind: SqlType) -> Any:
    if column.type == kind.arrow:
        return column
    try:
        return pc.cast(column, kind.arrow, safe=False)
    except pa.ArrowNotImplementedError:
        raise not_supported(f"Writing values of type {kind.trino}") from None


def _partitioned(table: pa.Table, keys: Sequence[tuple[str, SqlType]]) -> list[tuple[tuple[str, ...], pa.Table]]:
    """Return the rows of each partition, with the texts of its values."""
    if not table.num_rows:
        return []
    if not keys:
        return [((), table)]
    columns = [[_value(one) for one in table.column(name).to_pylist()] for name, _ in keys]
    places: dict[tuple[str, ...], list[int]] = {}
    for place, values in enumerate(zip(*columns, strict=True)):
        places.setdefault(values, []).append(place)
        if len(places) > _MOST_PARTITIONS:
            raise QueryError(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {_MOST_PARTITIONS} open writers for partitions/buckets",
            )
    return [(values, table.take(pa.array(found, pa.int64()))) for values, found in places.items()]


def _value(value: Any) -> str:
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else "" if value is None else str(value)
    if not _PRINTABLE.fullmatch(text):
        raise QueryError(
            "HIVE_INVALID_PARTITION_VALUE",
            "Hive partition keys can only contain printable ASCII characters (0x20 - 0x7E). Invalid value:"
            f" {text.encode().hex(' ').upper()}",
        )
    return text or NO_VALUE


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", text)


def _parquet(table: pa.Table, _columns: Sequence[tuple[str, SqlType]], form: FileFormat) -> bytes:
    content = io.BytesIO()
    compression: Any = "none" if form.compression == "UNCOMPRESSED" else form.compression.lower()
    pq.write_table(table, content, compression=compression)
    return content.getvalue()


def _json(table: pa.Table, columns: Sequence[tuple[str, SqlType]], form: FileFormat) -> bytes:
    names = [json.dumps(name, ensure_ascii=False) for name, _ in columns]
    lines = (
        f"{{{','.join(f'{name}:{_in_json(value)}' for name, value in zip(names, row, strict=True))}}}\n"
        for row in _rows(table, columns, form)
    )
    return _compressed("".join(lines).encode(), form)


def _in_json(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_in_json, value))}]"
    if isinstance(value, str | None | bool):
        # In capitals, as in Java.
        written = json.dumps(value, ensure_ascii=False)
        return _CONTROL.sub(lambda found: f"\\u{found[0][2:].upper()}", written)
    text = _plain(value)
    if text in {"NaN", "Infinity", "-Infinity"}:
        raise QueryError("HIVE_UNSERIALIZABLE_JSON_VALUE", f"Invalid value to Insert: {text}")
    return json.dumps(text) if isinstance(value, date) else text


def _text(table: pa.Table, columns: Sequence[tuple[str, SqlType]], form: FileFormat) -> bytes:
    lines = (
        form.delimiter.join("\\N" if value is None else _plain(value) for value in row) + "\n"
        for row in _rows(table, columns, form)
    )
    return _compressed("".join(lines).encode(), form)


def _rows(table: pa.Table, columns: Sequence[tuple[str, SqlType]], form: FileFormat) -> list[tuple[Any, ...]]:
    known = _TEXT_KINDS | ({"array"} if form.name == "JSON" else set())
    for name, kind in columns:
        inner = kind.parts[0][1] if kind.name == "array" and "array" in known else kind
        if inner.name not in _TEXT_KINDS:
            raise not_supported(f"Writing the column {name} of type {kind.trino} as {form.name}; cast it to varchar")
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _plain(value: Any) -> str:
    if isinstance(value, date) and value.year < _FIRST_YEAR:
        raise not_supported(f"Writing a date before the year {_FIRST_YEAR} as text")
    write = _PLAIN.get(type(value), str)
    return write(value)


def _moment(value: datetime) -> str:
    fraction = f".{value.microsecond // 1000:03d}".rstrip("0").rstrip(".")
    return f"{value:%Y-%m-%d %H:%M:%S}{fraction}"


def _compressed(content: bytes, form: FileFormat) -> bytes:
    return gzip.compress(content, mtime=0) if form.compression == "GZIP" else content


_TEXT_KINDS = {
    "bigint",
    "boolean",
    "date",
    "decimal",
    "double",
    "integer",
    "smallint",
    "timestamp",
    "tinyint",
    "varchar",
}
_PLAIN: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "true" if value else "false",
    float: java_double,
    date: date.isoformat,
    datetime: _moment,
    Decimal: lambda value: f"{value:f}",
}
_WRITERS: dict[str, Callable[[pa.Table, Sequence[tuple[str, SqlType]], FileFormat], bytes]] = {
    "PARQUET": _parquet,
    "JSON": _json,
    "TEXTFILE": _text,
}
