"""Texts of a type such as `varchar(10)`: of a longer one Athena reads the first ten characters."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from embedded_aws.services.athena.parquet_types import with_parts
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
    parts = [_shortened(*pair) for pair in zip(_parts(array), limits, strict=True)]
    return with_parts(array, parts, array.type)


def _parts(array: Any) -> list[Any]:
    if pa.types.is_struct(array.type):
        return [array.field(place) for place in range(array.type.num_fields)]
    return [array.keys, array.items] if pa.types.is_map(array.type) else [array.values]
