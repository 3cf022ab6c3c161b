"""Reading one line with Python, for lines that Arrow refuses: what is wrong outside the grain becomes null."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from handlers.tables import TABLES
from handlers.transform.mapping import IdOfKind, KindOfFirst, StreamMapping, paths
from handlers.transform.rejections import RejectedLineError

_INT64 = range(-(2**63), 2**63)
_MAX_DIGITS = 19  # of an integer that may fit into 64 bits
_KINDS: tuple[tuple[type, str], ...] = (
    (type(None), "null"),
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    (list, "a list"),
    (dict, "an object"),
)


class _Object(dict[str, Any]):
    """A JSON object that remembers its duplicate names; the last value counts."""

    repeated: frozenset[str] = frozenset()


@dataclass
class TolerantLine:
    """A line's values as the read schema requires them, and what had to be changed."""

    values: dict[str, Any]
    changed: dict[str, str] = field(default_factory=dict)
    """Path → what was found there."""


def parse(line: bytes) -> Any:
    """Parse a line as JSON; `NaN` and integers of any length are read, as numbers that fit no column.

    Raises:
        RejectedLineError: the line is not UTF-8, not one JSON value, or nested too deeply.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise RejectedLineError("not_utf8", f"Byte {error.start + 1} of the line is not UTF-8.") from error
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise RejectedLineError("not_json", f"{error.msg} at character {error.pos + 1}.") from error
    except RecursionError as error:
        raise RejectedLineError("too_deep", "The line is nested deeper than can be read.") from error


def parse_envelope(line: bytes) -> dict[str, Any]:
    """Parse a raw line.

    Raises:
        RejectedLineError: as for `parse`, or it is not an object, or its record is missing, null or not an object.
    """
    parsed = parse(line)
    if not isinstance(parsed, dict):
        raise RejectedLineError("wrong_type", f"The line is {kind_of(parsed)}, not an object.")
    if "record" not in parsed:
        raise RejectedLineError("missing_key", "record is missing.")
    record = parsed["record"]
    if record is None:
        raise RejectedLineError("null_element", "Spotify sent null for the record.")
    if not isinstance(record, dict):
        raise RejectedLineError("wrong_type", f"record is {kind_of(record)}, not an object.")
    return parsed


def read_tolerantly(line: bytes, schema: pa.Schema, mapping: StreamMapping) -> TolerantLine:
    """Read a line that Arrow refuses: every value whose type is not the schema's becomes null.

    Raises:
        RejectedLineError: as for `parse_envelope`, or a value of the grain has the wrong type.
    """
    parsed = parse_envelope(line)
    read = TolerantLine({})
    for name in schema.names:
        value = _member(parsed, name, name, read.changed)
        read.values[name] = fitted(value, schema.field(name).type, name, read.changed)
    for column in TABLES[mapping.table].grain:
        if column == "account_id":  # the object's metadata has it too
            continue
        places = places_of(column, mapping)
        if any(_at(read.values, place) is not None for place in places):
            continue
        for path, found in read.changed.items():
            if any(f"{place}.".startswith(f"{path}.") for place in places):
                raise RejectedLineError("wrong_type", f"{path} is {found}, which does not fit {column}.")
    return read


def why_without(column: str, line: bytes, mapping: StreamMapping) -> RejectedLineError:
    """Return why a readable line has no value for a column of the grain."""
    try:
        parsed = parse_envelope(line)
    except RejectedLineError as error:
        return error
    places = places_of(column, mapping)
    for place in places:
        value = _at(parsed, place)
        if value is not None:
            return RejectedLineError("wrong_type", f"{place} holds {kind_of(value)} that does not fit {column}.")
    return RejectedLineError("missing_key", f"{' or '.join(places)} is missing, which {column} requires.")


def places_of(column: str, mapping: StreamMapping) -> tuple[str, ...]:
    """Return the paths in a raw line that a column of the grain comes from, by precedence.

    None for a column that always has a value.
    """
    if column == "account_id":
        return ("account_id",)
    expression = mapping.columns[column]
    if isinstance(expression, KindOfFirst) and expression.otherwise is not None:
        return ()
    read = paths(expression)[:1] if isinstance(expression, IdOfKind) else paths(expression)
    return tuple(raw for path in read for raw in mapping.raw_paths(path))


def fitted(value: Any, type_: pa.DataType, path: str, changed: dict[str, str]) -> Any:
    """Return a value as its Arrow type requires it, or None if it cannot; `changed` records what was found."""
    if value is None:
        return None
    if pa.types.is_struct(type_) and isinstance(value, dict):
        members = (type_.field(index) for index in range(type_.num_fields))
        return {
            member.name: fitted(
                _member(value, member.name, f"{path}.{member.name}", changed),
                member.type,
                f"{path}.{member.name}",
                changed,
            )
            for member in members
        }
    if pa.types.is_list(type_) and isinstance(value, list):
        return [fitted(element, type_.value_type, f"{path}[]", changed) for element in value]
    return _fitted_scalar(value, type_, path, changed)


def kind_of(value: Any) -> str:
    """Return the type of a JSON value, in words."""
    return next(words for type_, words in _KINDS if isinstance(value, type_))


def _fitted_scalar(value: Any, type_: pa.DataType, path: str, changed: dict[str, str]) -> Any:
    if pa.types.is_string(type_) and isinstance(value, str):
        return _encodable(value, path, changed)
    if pa.types.is_boolean(type_) and isinstance(value, bool):
        return value
    if pa.types.is_integer(type_) and not isinstance(value, bool):
        if isinstance(value, int) and value in _INT64:
            return value
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            changed[path] = "a whole number written with a fraction"
            return int(value)
    changed[path] = kind_of(value)
    return None


def _member(value: dict[str, Any], name: str, path: str, changed: dict[str, str]) -> Any:
    if isinstance(value, _Object) and name in value.repeated:
        changed[path] = "a duplicate name"
    return value.get(name)


def _encodable(value: str, path: str, changed: dict[str, str]) -> str:
    """Replace lone surrogates, which cannot be stored as UTF-8."""
    try:
        value.encode()
    except UnicodeEncodeError:
        changed[path] = "half a surrogate pair"
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        made.repeated = frozenset(name for name, count in counts.items() if count > 1)
    return made


def _integer(digits: str) -> int | float:
    # Python refuses to convert thousands of digits; no column holds more than 64 bits.
    return int(digits) if len(digits.lstrip("-")) <= _MAX_DIGITS else float(digits)


def _at(value: Any, path: str) -> Any:
    """Return what is at a path without lists; None if something on the way is missing."""
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value
