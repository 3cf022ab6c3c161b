"""How a crawler derives tables and partitions from folders.

Source: https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-folder-table-partition.html
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

Columns = Mapping[str, str]
"""Name → Hive type."""

_SIMILAR = 0.7
"""Share of common columns below which a crawler puts two schemas into separate tables."""


@dataclass(frozen=True)
class StoredObject:
    """An object in the bucket being crawled."""

    key: str
    size: int
    """Bytes."""

    etag: str

    @property
    def folder(self) -> str:
        """The key up to and including its last slash; empty at the top of the bucket."""
        return self.key[: self.key.rfind("/") + 1]


@dataclass
class FoundTable:
    """A table derived from folders."""

    folder: str
    """Its root, with a trailing slash."""

    keys: tuple[str, ...]
    """Names of the partition keys, outermost first."""

    partitions: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Values → folder; empty for an unpartitioned table."""

    objects: dict[str, list[StoredObject]] = field(default_factory=lambda: defaultdict(list))
    """Folder → its objects, sorted by key."""


def is_excluded(key: str, include_path: str, patterns: Iterable[str]) -> bool:
    """Return whether an object matches one of a target's exclude patterns, which are relative to its include path."""
    relative = key.removeprefix(include_path)
    return any(_glob(pattern).fullmatch(relative) for pattern in patterns)


def is_hidden(key: str, include_path: str) -> bool:
    """Return whether a crawler ignores an object because of its name."""
    return any(part.startswith(("_", ".")) for part in key.removeprefix(include_path).split("/"))


def tables_at_level(objects: Iterable[StoredObject], level: int) -> tuple[list[FoundTable], list[str]]:
    """Group objects into tables at the level of `TableLevelConfiguration`: the bucket is level 1, its folders level 2.

    Returns:
        The tables, and a warning for every object that belongs to none.
    """
    grouped: dict[str, list[StoredObject]] = defaultdict(list)
    warnings = []
    for stored in objects:
        folders = stored.folder.split("/")[:-1]
        if len(folders) < level - 1:
            warnings.append(f"{stored.key} is above the table level {level} and belongs to no table.")
        else:
            grouped["".join(f"{folder}/" for folder in folders[: level - 1])].append(stored)
    tables = []
    for root, members in sorted(grouped.items()):
        table, more = _table(root, members)
        tables.append(table)
        warnings += more
    return tables, warnings


def tables_by_schema(
    objects: list[StoredObject], root: str, schema: Callable[[StoredObject], Columns], *, combine: bool
) -> tuple[list[FoundTable], list[str]]:
    """Group objects into tables when no level is set: one for the highest folder below which the schemas agree.

    Args:
        objects: all objects below `root`.
        root: a folder, with a trailing slash.
        schema: returns the columns of an object.
        combine: `CombineCompatibleSchemas`: schemas agree unless they contradict each other, however different.
    """
    if not objects:
        return [], []
    children: dict[str, list[StoredObject]] = defaultdict(list)
    for stored in objects:
        child = stored.key.removeprefix(root).partition("/")[0]
        children[f"{root}{child}/" if stored.folder != root else root].append(stored)
    if set(children) == {root} or _agree([schema(stored) for stored in objects], combine=combine):
        table, warnings = _table(root, objects)
        return [table], warnings
    tables: list[FoundTable] = []
    warnings = []
    for child, members in sorted(children.items()):
        found, more = (
            ([_table(root, members)[0]], [])
            if child == root
            else tables_by_schema(members, child, schema, combine=combine)
        )
        tables += found
        warnings += more
    return tables, warnings


def table_name(folder: str, bucket: str, prefix: str) -> str:
    """Return the name a crawler gives a folder's table: its last part, in characters that Hive allows."""
    last = folder.rstrip("/").rpartition("/")[2] or bucket
    return prefix + re.sub(r"[^a-z0-9_]", "_", last.lower())


def _table(root: str, members: list[StoredObject]) -> tuple[FoundTable, list[str]]:
    """Return the table of a folder, partitioned like most of its objects, and warnings about the others."""
    shapes: dict[tuple[str, ...], list[StoredObject]] = defaultdict(list)
    for stored in members:
        shapes[tuple(_key_name(part, at) for at, part in enumerate(_below(root, stored)))].append(stored)
    keys = max(shapes, key=lambda shape: (len(shapes[shape]), shape))
    table = FoundTable(root, keys)
    warnings = [
        f"{stored.key} is not partitioned by {', '.join(keys) or 'nothing'} like the others of {root}."
        for shape, several in shapes.items()
        if shape != keys
        for stored in several
    ]
    for stored in sorted(shapes[keys], key=lambda item: item.key):
        if keys:
            values = tuple(part.partition("=")[2] if "=" in part else part for part in _below(root, stored))
            table.partitions[values] = stored.folder
        table.objects[stored.folder].append(stored)
    return table, warnings


def _below(root: str, stored: StoredObject) -> list[str]:
    return stored.folder.removeprefix(root).split("/")[:-1]


def _key_name(part: str, at: int) -> str:
    name, separator, _ = part.partition("=")
    return re.sub(r"[^a-z0-9_]", "_", name.lower()) if separator else f"partition_{at}"


def _agree(schemas: list[Columns], *, combine: bool) -> bool:
    first = schemas[0]
    for other in schemas[1:]:
        common = first.keys() & other.keys()
        if any(first[name] != other[name] for name in common):
            return False
        if not combine and len(common) < _SIMILAR * len(first.keys() | other.keys()):
            return False
    return True


def _glob(pattern: str) -> re.Pattern[str]:
    """Compile a glob pattern: `*` within a folder, `**` across folders, `?`, `[…]` and `{…,…}`."""
    out, at, braces = "", 0, 0
    while at < len(pattern):
        sign = pattern[at]
        if pattern.startswith("**", at):
            out, at = out + ".*", at + 2
            continue
        if sign == "[" and (end := pattern.find("]", at + 2)) > 0:
            inner = pattern[at + 1 : end]
            out, at = out + f"[{'^' + inner[1:] if inner.startswith('!') else inner}]", end + 1
            continue
        if sign == "\\" and at + 1 < len(pattern):
            out, at = out + re.escape(pattern[at + 1]), at + 2
            continue
        if sign == "{":
            braces += 1
        out += {"*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|" if braces else ","}.get(sign, re.escape(sign))
        if sign == "}":
            braces -= 1
        at += 1
    return re.compile(out)
