"""Statements that change what the catalog knows of a table: ALTER TABLE for partitions, MSCK REPAIR TABLE, DROP TABLE.

Source: https://docs.aws.amazon.com/athena/latest/ug/alter-table-add-partition.html,
https://docs.aws.amazon.com/athena/latest/ug/msck-repair-table.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from embedded_aws.services.athena import catalog_changes
from embedded_aws.services.athena.catalog import CallerCatalog
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.results import ResultSet
from embedded_aws.services.athena.types import from_hive
from embedded_aws.services.athena.views import is_view
from embedded_aws.services.athena.written_files import folder

_LITERAL = r"(?:'(?:[^']|'')*'|\"[^\"]*\"|[\w.-]+)"
_ASSIGNMENT = rf"[`\"]?(?P<key>\w+)[`\"]?\s*=\s*(?P<value>{_LITERAL})"
_ASSIGNMENTS = rf"[`\"]?\w+[`\"]?\s*=\s*{_LITERAL}"
SPECIFICATION = rf"PARTITION\s*\(\s*{_ASSIGNMENTS}(?:\s*,\s*{_ASSIGNMENTS})*\s*\)"
"""The partition of a statement."""
PLACED = rf"{SPECIFICATION}(?:\s*LOCATION\s*'[^']*')?"
"""One that may say where it is."""

_SPECIFICATION = re.compile(
    r"PARTITION\s*\((?P<values>(?:'[^']*'|\"[^\"]*\"|[^()])*)\)(?:\s*LOCATION\s*'(?P<location>[^']*)')?", re.IGNORECASE
)


def add_partitions(catalog: CallerCatalog, name: tuple[str, str], partitions: str, *, if_missing: bool) -> None:
    """Add partitions to the catalog; without a location, where Hive would put them.

    Raises:
        QueryError: one exists, or does not have the table's keys.
    """
    table, keys = _partitioned(catalog, name)
    known = set(catalog.partition_values(*name))
    wanted: dict[tuple[str, ...], str] = {}
    for found in _SPECIFICATION.finditer(partitions):
        values = _values(found["values"], keys)
        if values in known and not if_missing:
            raise QueryError("FAILED", "AlreadyExistsException Partition already exists.")
        below = f"{table['StorageDescriptor']['Location'].rstrip('/')}/{folder(keys, values)}"
        wanted[values] = found["location"] or below
    with catalog.server.gate.working():
        catalog_changes.add_partitions(
            catalog,
            *name,
            [catalog_changes.partition_input(table, values, location) for values, location in wanted.items()],
        )


def drop_partitions(catalog: CallerCatalog, name: tuple[str, str], partitions: str, *, if_present: bool) -> None:
    """Drop partitions from the catalog; their objects stay.

    Raises:
        QueryError: one does not exist.
    """
    _, keys = _partitioned(catalog, name)
    known = set(catalog.partition_values(*name))
    wanted = [_values(found["values"], keys) for found in _SPECIFICATION.finditer(partitions)]
    for values in wanted:
        if values not in known and not if_present:
            raise QueryError("FAILED", f"SemanticException [Error 10006]: Partition not found {folder(keys, values)}")
    with catalog.server.gate.working():
        for values in dict.fromkeys(wanted):
            if values in known:
                catalog_changes.drop_partition(catalog, *name, values)


def repair(catalog: CallerCatalog, name: tuple[str, str]) -> ResultSet:
    """Add the partitions whose folders hold objects and that the catalog does not know."""
    table, keys = _partitioned(catalog, name)
    location = table["StorageDescriptor"]["Location"].rstrip("/")
    known = set(catalog.partition_values(*name))
    missing = {values: place for values, place in _folders(catalog, location, keys) if values not in known}
    if missing:
        with catalog.server.gate.working():
            catalog_changes.add_partitions(
                catalog,
                *name,
                [catalog_changes.partition_input(table, values, place) for values, place in missing.items()],
            )
    shown = [f"{name[1]}:{folder(keys, values)}" for values in missing]
    lines = [f"Partitions not in metastore:\t{chr(9).join(shown)}"] if shown else []
    lines += [f"Repair: Added partition to metastore {one}" for one in shown]
    return ResultSet((("result", from_hive("string")),), tuple((line,) for line in lines))


def drop_table(catalog: CallerCatalog, name: tuple[str, str], *, if_present: bool) -> None:
    """Drop a table; its objects stay.

    Raises:
        QueryError: it does not exist.
    """
    try:
        catalog_changes.drop_table(catalog, *name)
    except QueryError as error:
        if error.code != "TABLE_NOT_FOUND":
            raise
        if not if_present:
            raise catalog_changes.hive_not_found(*name) from error


def _partitioned(catalog: CallerCatalog, name: tuple[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Return a table, and the names of its partition keys."""
    try:
        table = catalog.get_table(*name)
    except QueryError as error:
        raise (catalog_changes.hive_not_found(*name) if error.code == "TABLE_NOT_FOUND" else error) from error
    keys = [key["Name"].lower() for key in table.get("PartitionKeys", [])]
    if is_view(table) or not keys:
        raise QueryError(
            "FAILED", f"SemanticException [Error 10241]: Table {name[0]}.{name[1]} is not a partitioned table"
        )
    return table, keys


def _values(text: str, keys: list[str]) -> tuple[str, ...]:
    given: Mapping[str, str] = {
        found["key"].lower(): _unquoted(found["value"]) for found in re.finditer(_ASSIGNMENT, text)
    }
    if set(given) != set(keys):
        raise QueryError(
            "FAILED",
            f"SemanticException Partition spec {{{', '.join(given)}}} does not name the table's partition keys"
            f" {{{', '.join(keys)}}}",
        )
    return tuple(given[key] for key in keys)


def _unquoted(literal: str) -> str:
    return literal[1:-1].replace("''", "'") if literal[0] in "'\"" else literal


def _folders(catalog: CallerCatalog, location: str, keys: list[str]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the values and the location of each folder below a location that is named as a partition."""
    address = urlsplit(location)
    prefix = f"{address.path.strip('/')}/".lstrip("/")
    catalog.caller.check_bucket("ListBucket", address.netloc, {"s3:prefix": prefix})
    buckets = catalog.server.backend("s3").buckets
    if address.netloc not in buckets:
        raise QueryError("HIVE_METASTORE_ERROR", f"The specified bucket does not exist: {address.netloc}")
    present = buckets[address.netloc].keys
    for key in sorted(one for one in list(present) if one.startswith(prefix) and hasattr(present[one], "etag")):
        folders = key.removeprefix(prefix).split("/")[: len(keys)]
        parts = [part.partition("=") for part in folders]
        # The object itself is no folder.
        if key.count("/") - prefix.count("/") >= len(keys) and [one[0].lower() for one in parts] == keys:
            yield tuple(unquote(one[2]) for one in parts), f"{location}/{'/'.join(folders)}"
