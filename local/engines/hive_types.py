"""The Hive type that a crawler gives to a Parquet column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

# Hive has no unsigned types: the next larger one.
_SIMPLE = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.uint8(): "smallint",
    pa.uint16(): "int",
    pa.uint32(): "bigint",
    pa.uint64(): "bigint",
    pa.float16(): "float",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.large_string(): "string",
    pa.binary(): "binary",
    pa.large_binary(): "binary",
    pa.date32(): "date",
    pa.null(): "string",
}
_KINDS: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_fixed_size_binary, "binary"),
    (pa.types.is_time32, "int"),
    (pa.types.is_time64, "bigint"),
    (pa.types.is_duration, "bigint"),
    (pa.types.is_date64, "date"),
)


class UnknownTypeError(Exception):
    """A type for which Hive has none."""


def hive_type(arrow: pa.DataType) -> str:
    """Translate, nested types too; field names become lower case as in the catalog.

    Raises:
        UnknownTypeError: there is no such Hive type.
    """
    if arrow in _SIMPLE:
        return _SIMPLE[arrow]
    if pa.types.is_decimal(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    if pa.types.is_dictionary(arrow):
        return hive_type(arrow.value_type)
    if pa.types.is_struct(arrow):
        fields = (arrow.field(index) for index in range(arrow.num_fields))
        return f"struct<{','.join(f'{field.name.lower()}:{hive_type(field.type)}' for field in fields)}>"
    if pa.types.is_map(arrow):
        return f"map<{hive_type(arrow.key_type)},{hive_type(arrow.item_type)}>"
    if pa.types.is_list(arrow) or pa.types.is_large_list(arrow) or pa.types.is_fixed_size_list(arrow):
        return f"array<{hive_type(arrow.value_type)}>"
    for is_kind, name in _KINDS:
        if is_kind(arrow):
            return name
    raise UnknownTypeError(f"Hive has no type for {arrow}.")
