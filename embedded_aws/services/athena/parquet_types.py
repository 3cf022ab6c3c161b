"""Reading a Parquet column whose type is not the catalog's.

Trino goes by what Parquet stores, and knows nothing of the types that Arrow keeps beside it. `make test-trino` asks it
each case of `tests/embedded_aws/parquet_cases.py`.
"""

from __future__ import annotations

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
_WIDER: dict[pa.DataType, tuple[pa.DataType, ...]] = {
    pa.int8(): (pa.int16(), pa.int32(), pa.int64()),
    pa.int16(): (pa.int32(), pa.int64()),
    pa.int32(): (pa.int64(),),
    pa.float32(): (pa.float64(),),
}
_BYTES = {pa.string(), pa.binary()}
_RANGES = {pa.int8(): "byte", pa.int16(): "short"}
"""Type → what Java calls it."""


def plain(found: Any) -> Any:
    """Return a type without what only Arrow tells apart: dictionaries, views, large types, fixed sizes."""
    if pa.types.is_dictionary(found):
        return plain(found.value_type)
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
    if pa.types.is_integer(wanted) and (pa.types.is_integer(stored) or (_is_in_64_bits(stored) and not is_int96)):
        return pa.types.is_integer(stored) or wanted == pa.int64()
    return (stored in _BYTES and wanted in _BYTES) or _is_compatible(stored, wanted)


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
    stored = plain(column.type)
    if pa.types.is_integer(wanted) and not pa.types.is_null(stored):
        return _in_range(_signed(pc.cast(column, stored)), wanted)
    if wanted == pa.string() and stored == pa.binary():
        try:
            return pc.cast(column, wanted)
        except pa.ArrowInvalid as error:
            raise QueryError("HIVE_BAD_DATA", "Bytes of a column are no text in UTF-8") from error
    return pc.cast(column, wanted, safe=False)


def mismatch(name: str, found: pa.DataType, kind: SqlType) -> str:
    """Return Athena's message about a column that cannot be read as the catalog's type."""
    return f"Field {name}'s type {found} in parquet file is incompatible with type {kind.trino} defined in table schema"


def _is_compatible(found: Any, wanted: Any) -> bool:
    # A column without values has no type of its own.
    if found == wanted or wanted in _WIDER.get(found, ()) or pa.types.is_null(found):
        return True
    if pa.types.is_timestamp(found):
        return bool(pa.types.is_timestamp(wanted))
    if pa.types.is_decimal(found):
        return bool(pa.types.is_decimal(wanted) and found.scale == wanted.scale and found.precision <= wanted.precision)
    return type(found) is type(wanted) and _parts_are_compatible(found, wanted)


def _parts_are_compatible(found: Any, wanted: Any) -> bool:
    if pa.types.is_list(found):
        return _is_compatible(found.value_type, wanted.value_type)
    if pa.types.is_map(found):
        return _is_compatible(found.key_type, wanted.key_type) and _is_compatible(found.item_type, wanted.item_type)
    if pa.types.is_struct(found):
        ours = {part.name: part.type for part in wanted}
        return all(part.name not in ours or _is_compatible(part.type, ours[part.name]) for part in found)
    return False


def _is_in_64_bits(found: Any) -> bool:
    return bool(pa.types.is_time64(found) or pa.types.is_duration(found) or pa.types.is_timestamp(found))


def _signed(column: Any) -> Any:
    """Return the signed integers that Parquet stores."""
    if column.type == pa.uint32() or column.type.bit_width == 64:
        signed = pa.int32() if column.type == pa.uint32() else pa.int64()
        return pa.chunked_array([chunk.view(signed) for chunk in column.chunks], signed)
    return pc.cast(column, pa.int32())


def _in_range(column: Any, wanted: Any) -> Any:
    try:
        return pc.cast(column, wanted)
    except pa.ArrowInvalid as error:
        if wanted not in _RANGES:
            raise QueryError("GENERIC_INTERNAL_ERROR", "integer overflow") from error
        fitting = pc.equal(pc.cast(pc.cast(column, wanted, safe=False), column.type), column)
        value = pc.filter(column, pc.invert(fitting))[0].as_py()
        raise QueryError("GENERIC_INTERNAL_ERROR", f"Value {value} exceeds {_RANGES[wanted]} range") from error
