"""Texts of a type such as `varchar(10)`: of a longer one Athena reads the first ten characters."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from embedded_aws.services.athena.types import with_quoted_fields

Limits = int | tuple["Limits | None", ...] | None
"""The length of a text; the limits of an array's elements, a map's keys and values or a row's fields; None without."""


def limits_of(hive: str) -> Limits:
    """Return the limits in a type of the Glue catalog."""
    # Most types have none.
    return _limits(exp.DataType.build(with_quoted_fields(hive), dialect="hive")) if "(" in hive else None


def _limits(kind: exp.DataType) -> Limits:
    if kind.this == exp.DType.VARCHAR:
        return next((int(part.name) for part in kind.expressions if isinstance(part, exp.DataTypeParam)), None)
    nested = [part for part in kind.expressions if not isinstance(part, exp.DataTypeParam)]
    found = tuple(_limits(part.args["kind"] if isinstance(part, exp.ColumnDef) else part) for part in nested)
    return found if any(one is not None for one in found) else None


def shortened(column: Any, limits: Limits) -> Any:
    """Return a `ChunkedArray` with its texts cut."""
    if limits is None:
        return column
    return pa.chunked_array([_shortened(chunk, limits) for chunk in column.chunks], column.type)


def _shortened(array: Any, limits: Limits) -> Any:
    if limits is None:
        return array
    if isinstance(limits, int):
        return pc.utf8_slice_codeunits(array, 0, limits)
    kind, missing = array.type, pc.is_null(array)
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(array.offsets, _shortened(array.values, limits[0]), type=kind, mask=missing)
    if pa.types.is_map(kind):
        keys, items = (_shortened(*pair) for pair in zip((array.keys, array.items), limits, strict=True))
        from_arrays: Any = pa.MapArray.from_arrays
        return from_arrays(array.offsets, keys, items, type=kind, mask=missing)
    parts = [_shortened(array.field(place), limit) for place, limit in enumerate(limits)]
    return pa.StructArray.from_arrays(parts, fields=list(kind), mask=missing)
