"""The tracks, albums, artists, shows and episodes in a block, and the artists' positions in their lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from handlers.tables import TABLES
from handlers.transform.arrow import Array, none_if_empty, numbers, pc
from handlers.transform.columns import evaluate, of_kind, select
from handlers.transform.drift import Drift
from handlers.transform.mapping import Part, StreamMapping
from handlers.transform.schema import table_schema

# What differs between two sightings of an unchanged entity.
_SIGHTING = {"_extracted_at", "_line"}


@dataclass(frozen=True)
class _Owners:
    """The objects whose parts are read, with the row of the block that each is in and its id."""

    objects: Array
    rows: Array
    ids: Array
    id_column: str = ""


def entity_tables(rows: Array, common: pa.RecordBatch, mapping: StreamMapping, drift: Drift) -> dict[str, pa.Table]:
    """Return the rows of every entity and bridge table in a block, without repeated sightings.

    Of sightings that differ only in line and time, the last one is kept: the views take the newest value of each column
    and the newest list, so the earlier ones add nothing.

    Args:
        rows: the block's rows, as `mapping` reads them.
        common: the common columns of the same rows.
        mapping: where the entities are in a row.
        drift: where values that do not fit their column are counted.
    """
    met: dict[str, list[pa.Table]] = {}
    for part in mapping.parts:
        owners = _Owners(rows, numbers(0, len(rows)), pa.nulls(len(rows), pa.string()))
        for table, batch in _met(part, owners, common, drift, mapping.raw_paths(part.path)[0]):
            met.setdefault(table, []).append(batch)
    tables = {table: pa.concat_tables(batches) for table, batches in met.items()}
    return {table: rows_ if _is_bridge(table) else last_of_equal(rows_) for table, rows_ in tables.items()}


def last_of_equal(table: pa.Table) -> pa.Table:
    """Return the last of each set of rows that differ only in line and time, in the order of the lines.

    The first column is an id; rows without one are dropped.
    """
    lines: Array = table["_line"].combine_chunks()
    later = lines.slice(1)
    if not pc.all(pc.greater_equal(later, lines.slice(0, len(later))), min_count=0).as_py():
        # The rows come grouped by their place in a line, where there are several.
        table = table.take(pc.sort_indices(lines))
    ids = table.column(0).combine_chunks()
    places, repeated = numbers(0, len(ids)), _repeated(ids)
    kept = places.filter(pc.and_not(pc.is_valid(ids), repeated))
    if pc.any(repeated).as_py():
        last = _last_of_equal(_keys(table.filter(repeated)), places.filter(repeated))
        kept = pa.concat_arrays([kept, last]).sort()
    return table if len(kept) == len(places) else table.take(kept)


def _keys(table: pa.Table) -> dict[str, Array]:
    """Return the columns that decide whether rows are equal, without those that have one value only."""
    keys: dict[str, Array] = {}
    for name in table.column_names:
        column: Array = table[name].combine_chunks()
        if name in _SIGHTING or column.null_count == len(column):
            continue
        if pa.types.is_dictionary(column.type):
            if column.null_count or len(column.dictionary) > 1:
                keys[name] = column.dictionary_decode()
        elif pa.types.is_list(column.type):
            keys.update({f"{name}.{part}": key for part, key in _list_keys(column).items()})
        else:
            keys[name] = column
    return keys


def _repeated(ids: Array) -> Array:
    """Return whether each id occurs more than once; False for null."""
    places = ids.dictionary_encode().indices
    counts = pc.value_counts(places.drop_null()).field("counts")
    return pc.fill_null(pc.greater(counts.take(places), 1), False)


def _met(
    part: Part, owners: _Owners, common: pa.RecordBatch, drift: Drift, place: str
) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of one part of objects, and of the parts below it."""
    entity = part.entity
    if part.path.endswith("[]"):
        lists = select(owners.objects, part.path.removesuffix("[]"))
        if part.bridge is not None:
            yield part.bridge, _bridge_rows(part.bridge, entity.id_column, lists, owners, common)
        parents = pc.list_parent_indices(lists)
        objects, rows, owner_ids = _elements(lists), owners.rows.take(parents), owners.ids.take(parents)
    else:
        objects, rows, owner_ids = select(owners.objects, part.path), owners.rows, owners.ids
    if part.kind is not None:
        here = of_kind(objects, part.kind)
        if pc.any(pc.xor(here, pc.is_valid(objects))).as_py():
            objects, rows, owner_ids = objects.filter(here), rows.filter(here), owner_ids.filter(here)
    if objects.null_count == len(objects):
        return
    ids = _ids(objects)
    arrays = [
        ids
        if column.name == entity.id_column
        else evaluate(entity.columns[column.name], objects, column, drift, f"{place}.", owner_ids)
        for column in TABLES[entity.table].columns
    ]
    columns = common.take(rows).columns
    yield entity.table, pa.Table.from_arrays([*arrays, *columns], schema=table_schema(entity.table))
    below = _Owners(objects, rows, ids, entity.id_column)
    for inner in entity.parts:
        yield from _met(inner, below, common, drift, f"{place}.{inner.path}")


def _bridge_rows(table: str, id_column: str, lists: Array, owners: _Owners, common: pa.RecordBatch) -> pa.Table:
    """Return a row for each element of each list: the owner, the position and the element.

    Equal lists of one owner in one read give rows only once.
    """
    counts = pc.list_value_length(lists)
    wanted = pc.and_(pc.is_valid(owners.ids), pc.greater(pc.fill_null(counts, 0), 0))
    id_lists = _lists(counts, _ids(_elements(lists))).filter(wanted)
    owner_ids, rows = owners.ids.filter(wanted), owners.rows.filter(wanted)
    places, repeated = numbers(0, len(id_lists)), _repeated(owner_ids)
    last = places.filter(pc.invert(repeated))
    if len(last) < len(places):
        seen = pa.Table.from_batches([common.take(rows.filter(repeated))])
        keys = {"owner": owner_ids.filter(repeated), **_list_keys(id_lists.filter(repeated)), **_keys(seen)}
        last = pa.concat_arrays([last, _last_of_equal(keys, places.filter(repeated))]).sort()
    id_lists, owner_ids, rows = id_lists.take(last), owner_ids.take(last), rows.take(last)
    parents = pc.list_parent_indices(id_lists)
    lengths = pc.list_value_length(id_lists)
    starts = pc.subtract(pc.cumulative_sum(lengths), lengths)
    values = {
        owners.id_column: owner_ids.take(parents),
        "position": pc.subtract(numbers(0, len(parents)), starts.take(parents)).cast(pa.int32()),
        id_column: pc.list_flatten(id_lists),
    }
    named = pc.is_valid(values[id_column])
    arrays = [values[column.name].filter(named) for column in TABLES[table].columns]
    columns = common.take(rows.take(parents).filter(named)).columns
    return pa.Table.from_arrays([*arrays, *columns], schema=table_schema(table))


def _last_of_equal(keys: dict[str, Any], places: Array) -> Array:
    """Return the places of the rows that have no later row with equal keys, in order."""
    placed = pa.table({**keys, "place": places})
    last: Any = placed.group_by([*keys], use_threads=False).aggregate([("place", "max")])["place_max"]
    return last.combine_chunks().sort()


def _ids(objects: Array) -> Array:
    """Return the ids of objects; null also for an empty one."""
    return none_if_empty(select(objects, "id"))


def _list_keys(lists: Any) -> dict[str, Array]:
    """Return columns that are equal for two lists of strings only if the lists are: Arrow cannot group by lists.

    Joining the elements is not enough, as an element may contain the separator: the lengths resolve that.
    """
    counts = pc.list_value_length(lists)
    elements = pc.list_flatten(lists)
    lengths = pc.fill_null(pc.binary_length(elements).cast(pa.string()), "-")
    return {
        "elements": pc.binary_join(_lists(counts, pc.fill_null(elements, "")), "\x1f"),
        "lengths": pc.binary_join(_lists(counts, lengths), ","),
        "count": counts,
    }


def _elements(lists: Any) -> Array:
    """Return the elements of lists in one array: a slice, not a copy, unless a null list hides elements."""
    first, last = lists.offsets[0].as_py(), lists.offsets[len(lists)].as_py()
    if pc.sum(pc.list_value_length(lists), min_count=0).as_py() == last - first:
        return lists.values.slice(first, last - first)
    return pc.list_flatten(lists)


def _lists(counts: Array, elements: Array) -> Array:
    """Return consecutive lists with these numbers of elements; empty where the number is null."""
    ends = pc.cumulative_sum(pc.fill_null(counts, 0))
    return pa.ListArray.from_arrays(pa.concat_arrays([pa.array([0], pa.int32()), ends]), elements)


def _is_bridge(table: str) -> bool:
    return "position" in TABLES[table].grain
