"""Reading a Parquet column whose type is not the catalog's.

Trino goes by what Parquet stores, and knows nothing of the types that Arrow keeps beside it. `make test-trino` asks it
each case of `tests/embedded_aws/parquet_cases.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.types import SqlType

_PLAIN: dict[pa.DataType, pa.DataType] = {
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
}
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
_TO_MILLISECONDS = {"us": 1_000, "ns": 1_000_000}
_BYTES = {pa.string(), pa.binary()}
_READABLE: tuple[tuple[Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    (pa.types.is_integer, pa.types.is_integer),
    (_BYTES.__contains__, _BYTES.__contains__),
    (pa.types.is_timestamp, pa.types.is_timestamp),
    (pa.types.is_float32, pa.types.is_float64),
)
"""What is stored, and what it can be read as."""
_RANGES = {pa.int8(): "byte", pa.int16(): "short"}
"""Type → what Java calls it."""


def plain(found: Any) -> Any:
    """Return a type without what only Arrow tells apart: dictionaries, views, large types, fixed sizes, extensions."""
    is_extension = isinstance(found, pa.BaseExtensionType)
    if is_extension or pa.types.is_dictionary(found):
        return plain(found.storage_type if is_extension else found.value_type)
    if pa.types.is_fixed_size_binary(found):
        return pa.binary()
    if any(is_list(found) for is_list in _LISTS):
        return pa.list_(plain(found.value_type))
    if pa.types.is_map(found):
        return pa.map_(plain(found.key_type), plain(found.item_type))
    if pa.types.is_struct(found):
        return pa.struct([(part.name, plain(part.type)) for part in found])
    return _PLAIN.get(found, found)


def is_readable(found: Any, wanted: Any, *, is_int96: bool = False) -> bool:
    """Return whether Trino's Parquet reader reads an object's type as the catalog's.

    Args:
        found: Arrow's type of the column in the object.
        wanted: Arrow's type of the column in the catalog.
        is_int96: whether it is stored as Spark's and Hive's own timestamps are.
    """
    stored = plain(found)
    # A column without values has no type of its own.
    if stored == wanted or pa.types.is_null(stored):
        return True
    if pa.types.is_integer(wanted) and _is_in_64_bits(stored) and not is_int96:
        return bool(wanted == pa.int64())
    if pa.types.is_decimal(stored):
        fits = pa.types.is_decimal(wanted) and stored.scale == wanted.scale and stored.precision <= wanted.precision
        return bool(fits)
    if pa.types.is_nested(stored):
        return type(stored) is type(wanted) and all(is_readable(*pair) for pair in _parts(stored, wanted))
    return any(stored_is(stored) and wanted_is(wanted) for stored_is, wanted_is in _READABLE)


def int96_columns(file: pq.ParquetFile) -> frozenset[str]:
    """Return the names of columns with Spark's and Hive's own timestamps, which Arrow reads as nanoseconds."""
    leaves = [file.schema.column(number) for number in range(len(file.schema))]
    return frozenset(leaf.path.partition(".")[0] for leaf in leaves if leaf.physical_type == "INT96")


def converted(column: Any, wanted: Any) -> Any:
    """Return a column that is readable as the catalog's type, in that type.

    Args:
        column: a `ChunkedArray`.
        wanted: Arrow's type of the column in the catalog.

    Raises:
        QueryError: an integer is out of range, or bytes are no text.
    """
    if column.type == wanted:
        return column
    return pa.chunked_array([_converted(chunk, wanted) for chunk in column.chunks], wanted)


def with_parts(array: Any, parts: Sequence[Any], kind: Any) -> Any:
    """Return a nested array with other parts: a list's elements, a map's keys and values, or a row's fields."""
    missing = pc.is_null(array)
    if pa.types.is_struct(kind):
        return pa.StructArray.from_arrays(parts, fields=list(kind), mask=missing)
    from_arrays: Any = (pa.MapArray if pa.types.is_map(kind) else pa.ListArray).from_arrays
    return from_arrays(array.offsets, *parts, type=kind, mask=missing)


def may_fail(found: Any, wanted: Any) -> bool:
    """Return whether `converted` may raise for a readable column."""
    stored = plain(found)
    if stored == wanted or pa.types.is_null(stored):
        return False
    if pa.types.is_nested(stored):
        return any(may_fail(*pair) for pair in _parts(stored, wanted))
    return bool(pa.types.is_integer(wanted) or (wanted == pa.string() and stored == pa.binary()))


def mismatch(name: str, found: pa.DataType, kind: SqlType) -> QueryError:
    """Return Athena's error about a column that cannot be read as the catalog's type."""
    return QueryError(
        "HIVE_BAD_DATA",
        f"Field {name}'s type {found} in parquet file is incompatible with type {kind.trino} defined in table schema",
    )


def _parts(found: Any, wanted: Any) -> list[tuple[Any, Any]]:
    """Return the types of the parts that two nested types have in common; names of parts ignore capitals."""
    if pa.types.is_list(found):
        return [(found.value_type, wanted.value_type)]
    if pa.types.is_map(found):
        return [(found.key_type, wanted.key_type), (found.item_type, wanted.item_type)]
    places = _places(found)
    return [(found.field(places[part.name]).type, part.type) for part in wanted if part.name in places]


def _places(found: Any) -> dict[str, int]:
    """Return the places of a row's parts, by their names as the catalog has them."""
    return {part.name.lower(): place for place, part in enumerate(found)}


def _is_in_64_bits(found: Any) -> bool:
    return bool(pa.types.is_time64(found) or pa.types.is_duration(found) or pa.types.is_timestamp(found))


def _converted(array: Any, wanted: Any) -> Any:
    stored = plain(array.type)
    if array.type == wanted or pa.types.is_null(stored):
        return pc.cast(array, wanted)
    if pa.types.is_nested(stored):
        return _with_converted_parts(pc.cast(array, stored), wanted)
    if pa.types.is_integer(wanted):
        return _in_range(_signed(pc.cast(array, stored)), wanted)
    if wanted == pa.string() and stored == pa.binary():
        try:
            return pc.cast(array, wanted)
        except pa.ArrowInvalid as error:
            raise QueryError("HIVE_BAD_DATA", "Bytes of a column are no text in UTF-8") from error
    if pa.types.is_timestamp(stored) and stored.unit in _TO_MILLISECONDS:
        return _rounded(array, _TO_MILLISECONDS[stored.unit], wanted)
    return pc.cast(array, wanted, safe=False)


def _with_converted_parts(array: Any, wanted: Any) -> Any:
    if pa.types.is_list(wanted):
        return with_parts(array, [_converted(array.values, wanted.value_type)], wanted)
    if pa.types.is_map(wanted):
        parts = [_converted(array.keys, wanted.key_type), _converted(array.items, wanted.item_type)]
        return with_parts(array, parts, wanted)
    places = _places(array.type)
    fields = [
        _converted(array.field(places[part.name]), part.type)
        if part.name in places
        else pa.nulls(len(array), part.type)
        for part in wanted
    ]
    return with_parts(array, fields, wanted)


def _rounded(array: Any, units: int, wanted: Any) -> Any:
    """Return moments in milliseconds, of which each has so many units; Trino rounds half up."""
    moments = pc.add(pc.cast(pc.cast(array, pa.timestamp(array.type.unit)), pa.int64()), units // 2)
    cut = pc.divide(moments, units)
    is_above = pc.cast(pc.less(moments, pc.multiply(cut, units)), pa.int64())
    return pc.cast(pc.subtract(cut, is_above), wanted)


def _signed(array: Any) -> Any:
    """Return the signed integers that Parquet stores."""
    if array.type == pa.uint32() or array.type.bit_width == 64:
        return array.view(pa.int32() if array.type == pa.uint32() else pa.int64())
    return pc.cast(array, pa.int32())


def _in_range(column: Any, wanted: Any) -> Any:
    try:
        return pc.cast(column, wanted)
    except pa.ArrowInvalid as error:
        if wanted not in _RANGES:
            raise QueryError("GENERIC_INTERNAL_ERROR", "integer overflow") from error
        fitting = pc.equal(pc.cast(pc.cast(column, wanted, safe=False), column.type), column)
        value = pc.filter(column, pc.invert(fitting))[0].as_py()
        raise QueryError("GENERIC_INTERNAL_ERROR", f"Value {value} exceeds {_RANGES[wanted]} range") from error
