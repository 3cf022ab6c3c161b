"""Arrow's arrays and functions, without precise types: the stubs (20.0) lag behind the library (26.0).

They know neither Python scalars among the arguments of a compute function, nor a reader over a buffer, nor `arange`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as pa
import pyarrow.compute
import pyarrow.json

Array: TypeAlias = Any
"""An Arrow array, of whatever type its docstring says."""

pc: Any = pa.compute
pa_json: Any = pa.json
_pyarrow: Any = pa

# The default pool keeps a heap per thread: concurrent blocks would hold half as much memory again.
pa.set_memory_pool(pa.system_memory_pool())


def numbers(start: int, end: int) -> Array:
    """Return the integers from `start` up to, but not including, `end` as int64."""
    return _pyarrow.arange(start, end)


def only_where(mask: Array, values: Array) -> Array:
    """Return the values where the mask is true, else null."""
    return pc.if_else(mask, values, pa.scalar(None, values.type))


def none_if_empty(texts: Array) -> Array:
    """Return the texts, with null for `''`."""
    return only_where(pc.not_equal(texts, ""), texts)
