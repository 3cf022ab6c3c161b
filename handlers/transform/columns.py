"""The expressions of `mapping.py` evaluated over arrays of objects, and their values fitted to a table's types."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from handlers.tables import Column
from handlers.transform import times
from handlers.transform.arrow import Array, none_if_empty, only_where, pc
from handlers.transform.drift import Drift
from handlers.transform.mapping import (
    Always,
    DayOf,
    EmptyIfNull,
    EpochTime,
    Expression,
    FirstFilled,
    FirstOf,
    IdOfKind,
    IdOfUri,
    KindOfFirst,
    KnownTime,
    NullIfEmpty,
    OwnerId,
    Present,
    TimeOrMinute,
    YearOf,
    paths,
)
from handlers.transform.schema import arrow_type

_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1


def evaluate(
    expression: Expression, objects: Array, column: Column, drift: Drift, place: str, owner_ids: Array | None
) -> Array:
    """Return a column's values over an array of objects, in the column's own type.

    Args:
        expression: what feeds the column.
        objects: the objects its paths start at.
        column: the column.
        drift: where values that do not fit the column are counted; they are null.
        place: the path of the objects in a raw line, for `drift`.
        owner_ids: for objects of a list, the id of the object that has the list.
    """
    if isinstance(expression, Present):
        return pc.is_valid(select(objects, expression.path))
    values = _values(expression, objects, owner_ids)
    if values.null_count == len(values):
        return pa.nulls(len(values)).cast(arrow_type(column))
    match expression:
        case NullIfEmpty():
            return none_if_empty(values)
        case DayOf():
            return times.days(values)
        case YearOf():
            return times.years(values)
    if isinstance(expression, EpochTime):
        values = times.meant(values)
        fit = times.of_epochs(values)
    else:
        fit = fitted(values, column)
    lost = fit.null_count - values.null_count
    if lost:
        drift.add(f"{place}{paths(expression)[0]}", f"a value that does not fit {column.type}", count=lost)
    return times.known(fit) if isinstance(expression, KnownTime) else fit


def fitted(values: Array, column: Column) -> Array:
    """Convert values from the type they are read as to the type they are written as; what does not fit is null."""
    if column.type == "timestamp":
        return times.timestamps(values)
    try:
        return values.cast(arrow_type(column))
    except pa.ArrowInvalid:  # an integer beyond 32 bits
        holds = pc.and_(pc.greater_equal(values, _INT32_MIN), pc.less_equal(values, _INT32_MAX))
        return only_where(holds, values).cast(pa.int32())


def _values(expression: Expression, objects: Array, owner_ids: Array | None) -> Any:
    """Return what an expression finds, before it is fitted to a column."""
    found: Any
    match expression:
        case FirstOf() | FirstFilled():
            found = _first(objects, expression)
        case TimeOrMinute():
            minutes = times.minutes_as_timestamps(select(objects, expression.minute))
            found = pc.coalesce(select(objects, expression.path), minutes)
        case EmptyIfNull():
            found = pc.fill_null(_values(expression.source, objects, owner_ids), "")
        case YearOf() | DayOf():
            found = _values(expression.source, objects, owner_ids)
        case IdOfUri():
            found = _ids_in(select(objects, expression.path), f"spotify:{expression.kind}:")
        case KindOfFirst():
            found = _kinds(objects, expression)
        case IdOfKind():
            inner = select(objects, expression.path)
            found = only_where(of_kind(inner, expression.kind), select(inner, "id"))
        case Always():
            found = pa.repeat(expression.value, len(objects))
        case OwnerId():
            found = owner_ids
        case _:
            found = select(objects, paths(expression)[0])
    return found


def select(objects: Array, path: str) -> Any:
    """Return what is at a path below every object; null where something on the way is null."""
    array: Any = objects
    for name in path.split("."):
        key, bracket, index = name.partition("[")
        # Without null objects the members can be taken as they are, without copying the validity bitmap.
        array = pc.struct_field(array, key) if array.null_count else array.field(key)
        if bracket and index == "0]":
            array = _first_elements(array)
    return array


def of_kind(objects: Array, kind: str) -> Array:
    """Return whether objects are of a `type`; one sent without a type is recognized by its URI."""
    types = select(objects, "type")
    by_uri = pc.and_(pc.is_null(types), pc.starts_with(select(objects, "uri"), f"spotify:{kind}:"))
    return pc.fill_null(pc.or_kleene(pc.equal(types, kind), by_uri), False)


def _first(objects: Array, expression: FirstOf | FirstFilled) -> Array:
    candidates = [select(objects, path) for path in expression.paths]
    if isinstance(expression, FirstFilled):
        candidates = [none_if_empty(texts) for texts in candidates]
    return pc.coalesce(*candidates)


def _kinds(objects: Array, expression: KindOfFirst) -> Array:
    kinds = (only_where(pc.not_equal(select(objects, path), ""), pa.scalar(kind)) for path, kind in expression.kinds)
    return pc.coalesce(*kinds, pa.scalar(expression.otherwise, pa.string()))


def _ids_in(uris: Array, prefix: str) -> Array:
    """Return what follows a prefix of URIs; null where the prefix is different or nothing follows."""
    ids = only_where(pc.starts_with(uris, prefix), uris)
    return none_if_empty(pc.utf8_slice_codeunits(ids, len(prefix)))


def choose(arrays: list[Array]) -> Array:
    """Return, row by row, the first of several objects that is not null."""
    chosen, *others = arrays
    for other in others:
        if chosen.null_count and other.null_count < len(other):
            chosen = pc.if_else(pc.is_valid(chosen), chosen, other)
    return chosen


def _first_elements(lists: Any) -> Any:
    starts = lists.offsets.slice(0, len(lists))
    filled = pc.fill_null(pc.greater(pc.list_value_length(lists), 0), False)
    return lists.values.take(only_where(filled, starts))
