"""Statements that write: CREATE TABLE AS, INSERT INTO and UNLOAD, as they are written.

Source: https://docs.aws.amazon.com/athena/latest/ug/ctas.html, https://docs.aws.amazon.com/athena/latest/ug/unload.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.views import CATALOG

NAME = r"(?:\"[^\"]+\"|`[^`]+`|\w+)"
QUALIFIED = rf"(?P<name>{NAME}(?:\.{NAME}){{0,2}})"
"""A table's name: alone, with its database, or with that and the catalog."""

Value = str | tuple[str, ...]
"""The value of a property: text, or an array of texts."""

_TEXT = r"'(?:[^']|'')*'"
_PROPERTIES = rf"(?P<properties>(?:{_TEXT}|[^'()])*)"
_CREATE = (
    rf"CREATE\s+TABLE\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?{QUALIFIED}\s*(?:WITH\s*\({_PROPERTIES}\)\s*)?AS\b\s*"
    r"(?P<query>.+?)(?P<data>\s+WITH\s+(?P<no>NO\s+)?DATA)?"
)
_INSERT = (
    rf"INSERT\s+INTO\s+{QUALIFIED}\s*(?:\(\s*(?!(?:SELECT|WITH|VALUES|TABLE)\b)(?P<columns>{NAME}(?:\s*,\s*{NAME})*)\s*\)\s*)?"
    r"(?P<query>(?:SELECT|WITH|VALUES|TABLE)\b.+|\(.+)"
)
_UNLOAD = rf"UNLOAD\s*\((?P<query>.+)\)\s*TO\s+(?P<location>{_TEXT})\s*(?:WITH\s*\({_PROPERTIES}\))?"
_PROPERTY = re.compile(rf"\s*(?P<name>\w+)\s*=\s*(?P<value>{_TEXT}|ARRAY\s*\[[^\]]*\]|\w+)\s*(?:,|$)", re.IGNORECASE)
_FLAGS = re.IGNORECASE | re.DOTALL
_WRITES = re.compile(r"(?:CREATE|INSERT|UNLOAD)\b", re.IGNORECASE)
_COMMENT = re.compile(rf"(?P<kept>{_TEXT}|\"(?:[^\"]|\"\")*\"|`[^`]*`)|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""A comment, or as `kept` what only looks like one in quotes."""

_PARQUET_COMPRESSIONS = {"NONE", "UNCOMPRESSED", "GZIP", "SNAPPY", "ZSTD"}
_TEXT_COMPRESSIONS = {"NONE", "GZIP"}
_FORMATS = {"PARQUET", "ORC", "AVRO", "JSON", "TEXTFILE", "ION"}
_OF_TABLES = {
    "bucket_count", "bucketed_by", "compression_level", "external_location", "field_delimiter", "format", "is_external",
    "orc_compression", "parquet_compression", "partitioned_by", "table_type", "write_compression",
}  # fmt: skip
_OF_UNLOAD = {"compression", "compression_level", "field_delimiter", "format", "partitioned_by"}
_LARGEST_DELIMITER = 1


@dataclass(frozen=True)
class FileFormat:
    """How files are written."""

    name: str
    """PARQUET, JSON or TEXTFILE."""

    compression: str
    """In upper case."""

    delimiter: str = "\x01"
    """Between the fields of a TEXTFILE."""


@dataclass(frozen=True)
class TableCreation:
    """CREATE TABLE AS."""

    name: str
    query: str
    if_missing: bool
    with_data: bool
    location: str | None
    """None for Athena's own choice."""
    keys: tuple[str, ...]
    """The partition keys."""
    format: FileFormat


@dataclass(frozen=True)
class Insertion:
    """INSERT INTO."""

    name: str
    query: str
    columns: tuple[str, ...] | None
    """The columns that get values; None for all."""


@dataclass(frozen=True)
class Unloading:
    """UNLOAD."""

    query: str
    location: str
    keys: tuple[str, ...]
    format: FileFormat


Write = TableCreation | Insertion | Unloading


def written_query(text: str) -> str | None:
    """Return the query within a statement that writes; None for any other statement."""
    match = _match(text)
    return None if match is None else match["query"].strip()


def substatement(text: str) -> str | None:
    """Return the `SubstatementType` of a statement that writes; None for any other."""
    match = _match(text)
    if match is None:
        return None
    word = match[0][: len("CREATE")].upper()
    return "CREATE_TABLE_AS_SELECT" if word == "CREATE" else word


def external_location(text: str) -> bool:
    """Return whether a statement is CREATE TABLE AS with a location of its own."""
    if substatement(text) != "CREATE_TABLE_AS_SELECT" or (match := _match(text)) is None:
        return False
    return "external_location" in _properties(match["properties"] or "")


def check_properties(text: str) -> None:
    """Check the grammar of the properties of a statement that writes.

    Raises:
        QueryError: they cannot be parsed.
    """
    match = _match(text)
    _properties((match.groupdict().get("properties") if match is not None else None) or "")


def parsed_write(text: str) -> Write | None:
    """Return a statement that writes; None for any other.

    Raises:
        QueryError: a property is invalid or not modelled.
    """
    match = _match(text)
    if match is None:
        return None
    found = match.groupdict()
    query = match["query"].strip()
    properties = _properties(found.get("properties") or "")
    if "location" in found:
        _check_names(properties, _OF_UNLOAD)
        return Unloading(query, _text(found["location"]), _keys(properties), _format_of_unload(properties))
    if "columns" in found:
        columns = found["columns"]
        named = None if columns is None else tuple(unquoted(one) for one in re.findall(NAME, columns))
        return Insertion(found["name"], query, named)
    if _one("table_type", properties.get("table_type", "HIVE")).upper() != "HIVE":
        # It has other properties, too.
        raise not_supported("An Iceberg table; use table_type = 'HIVE'")
    _check_names(properties, _OF_TABLES)
    location = properties.get("external_location")
    return TableCreation(
        name=found["name"],
        query=query,
        if_missing=bool(found["exists"]),
        with_data=not found["no"],
        location=None if location is None else _one("external_location", location),
        keys=_keys(properties),
        format=_format_of_table(properties),
    )


def unquoted(name: str) -> str:
    """Return a name without its quotes, in lower case."""
    return name.strip('"`').lower()


def _match(text: str) -> re.Match[str] | None:
    if not _WRITES.match(text):
        return None
    plain = _COMMENT.sub(lambda found: found["kept"] or " ", text).strip()
    for pattern in (_CREATE, _INSERT, _UNLOAD):
        if match := re.fullmatch(pattern, plain, _FLAGS):
            return match
    return None


def _properties(text: str) -> dict[str, Value]:
    """Return properties by name, in lower case.

    Raises:
        QueryError: they cannot be parsed.
    """
    found: dict[str, Value] = {}
    place = 0
    while text[place:].strip():
        match = _PROPERTY.match(text, place)
        if match is None:
            raise QueryError("SYNTAX_ERROR", f"line 1:1: mismatched input in the properties: {text[place:].strip()}")
        value = match["value"]
        if value.startswith("'"):
            found[match["name"].lower()] = _text(value)
        elif value.endswith("]"):
            found[match["name"].lower()] = tuple(_text(one) for one in re.findall(_TEXT, value))
        else:
            found[match["name"].lower()] = value
        place = match.end()
    return found


def _text(literal: str) -> str:
    return literal[1:-1].replace("''", "'")


def _one(name: str, value: Value) -> str:
    if isinstance(value, tuple):
        raise QueryError("INVALID_TABLE_PROPERTY", f"Unable to set table property '{name}' to an array")
    return value


def _check_names(properties: Mapping[str, Value], known: set[str]) -> None:
    for name in properties:
        if name not in known:
            raise QueryError(
                "INVALID_TABLE_PROPERTY", f"line 1:1: Catalog '{CATALOG}' table property '{name}' does not exist"
            )
    if {"bucketed_by", "bucket_count"} & properties.keys():
        raise not_supported("A table in buckets; leave bucketed_by and bucket_count out")
    if "compression_level" in properties:
        raise not_supported("A compression_level")


def _keys(properties: Mapping[str, Value]) -> tuple[str, ...]:
    keys = properties.get("partitioned_by", ())
    if not isinstance(keys, tuple):
        raise QueryError(
            "INVALID_TABLE_PROPERTY", "Unable to set table property 'partitioned_by' to other than an array"
        )
    return tuple(key.lower() for key in keys)


def _format_of_table(properties: Mapping[str, Value]) -> FileFormat:
    if _one("is_external", properties.get("is_external", "true")).lower() != "true":
        raise not_supported("is_external = false")
    name = _known_format(properties.get("format", "PARQUET"))
    if name != "PARQUET":
        raise not_supported(f"A table in the format {name}; use PARQUET, or UNLOAD for files in JSON or TEXTFILE")
    if "field_delimiter" in properties:
        raise QueryError(
            "INVALID_TABLE_PROPERTY", f"Cannot specify field_delimiter table property for storage format: {name}"
        )
    given = [properties[one] for one in ("write_compression", "parquet_compression") if one in properties]
    if len(given) > 1 or "orc_compression" in properties:
        raise QueryError("INVALID_TABLE_PROPERTY", "Only write_compression sets the compression of a table in PARQUET")
    return FileFormat(name, _compression(given[0] if given else "GZIP", name))


def _format_of_unload(properties: Mapping[str, Value]) -> FileFormat:
    if "format" not in properties:
        raise QueryError("INVALID_TABLE_PROPERTY", "UNLOAD needs the property format: PARQUET, JSON or TEXTFILE")
    name = _known_format(properties["format"])
    delimiter = _one("field_delimiter", properties.get("field_delimiter", "\x01"))
    if name != "TEXTFILE" and "field_delimiter" in properties:
        raise QueryError(
            "INVALID_TABLE_PROPERTY", f"Cannot specify field_delimiter table property for storage format: {name}"
        )
    if len(delimiter) != _LARGEST_DELIMITER:
        raise QueryError("INVALID_TABLE_PROPERTY", "field_delimiter must be a single character")
    return FileFormat(name, _compression(properties.get("compression", "GZIP"), name), delimiter)


def _known_format(value: Value) -> str:
    name = _one("format", value).upper()
    if name not in _FORMATS:
        raise QueryError(
            "INVALID_TABLE_PROPERTY", f"Unable to set table property 'format' to ['{name}']: Invalid value"
        )
    if name not in {"PARQUET", "JSON", "TEXTFILE"}:
        raise not_supported(f"Writing {name}; use PARQUET")
    return name


def _compression(value: Value, name: str) -> str:
    compression = _one("compression", value).upper()
    known = _PARQUET_COMPRESSIONS if name == "PARQUET" else _TEXT_COMPRESSIONS
    if compression not in known:
        raise not_supported(f"The compression {compression} of {name}; use one of {', '.join(sorted(known))}")
    return compression
