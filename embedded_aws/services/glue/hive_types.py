"""The Hive type that a crawler gives to a Parquet column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


class UnknownTypeError(Exception):
    """A type for which Hive has none."""


def hive_type(arrow: pa.DataType) -> str:
    """Translate, nested types too; field names become lower case as in the catalog.

    Raises:
        UnknownTypeError: there is no such Hive type.
    """
    if arrow in _SIMPLE:
        return _SIMPLE[arrow]
    for is_kind, translate in _KINDS:
        if is_kind(arrow):
            return translate(arrow)
    raise UnknownTypeError(f"Hive has no type for {arrow}.")


def _struct(arrow: Any) -> str:
    fields = (arrow.field(index) for index in range(arrow.num_fields))
    return f"struct<{','.join(f'{field.name.lower()}:{hive_type(field.type)}' for field in fields)}>"


def _list(arrow: Any) -> str:
    return f"array<{hive_type(arrow.value_type)}>"


_KINDS: tuple[tuple[Callable[[Any], bool], Callable[[Any], str]], ...] = (
    (pa.types.is_timestamp, lambda _: "timestamp"),
    (pa.types.is_fixed_size_binary, lambda _: "binary"),
    (pa.types.is_time32, lambda _: "int"),
    (pa.types.is_time64, lambda _: "bigint"),
    (pa.types.is_duration, lambda _: "bigint"),
    (pa.types.is_date64, lambda _: "date"),
    (pa.types.is_decimal, lambda arrow: f"decimal({arrow.precision},{arrow.scale})"),
    (pa.types.is_dictionary, lambda arrow: hive_type(arrow.value_type)),
    (pa.types.is_struct, _struct),
    (pa.types.is_map, lambda arrow: f"map<{hive_type(arrow.key_type)},{hive_type(arrow.item_type)}>"),
    (pa.types.is_list, _list),
    (pa.types.is_large_list, _list),
    (pa.types.is_fixed_size_list, _list),
)
