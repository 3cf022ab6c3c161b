"""What a query opens: each object of each scan, as Trino does, which makes one request for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from handlers.tables import TABLES
from tests.queries.scans import planned_scans, planner

Objects = Mapping[str, Mapping[str, int]]
"""Table → value of the partition → objects in it."""


@dataclass(frozen=True)
class Opened:
    """What one query opens."""

    scans: int
    """How often it reads a table."""
    objects: int
    """Objects of all scans."""


def opened(sql: str, objects: Objects) -> Opened:
    """Return what a query in Athena's dialect opens, given the objects that there are."""
    scans = planned_scans(sql)
    total = 0
    for table, scan in scans:
        partitions = list(objects.get(table, {}))
        keys: dict[str, str] = {TABLES[table].partition_key: "VARCHAR"}
        condition = scan.on(keys)
        if condition:
            selected = planner().select([(value,) for value in partitions], keys, condition)
            partitions = [partitions[place] for place in selected]
        total += sum(objects[table][value] for value in partitions)
    return Opened(len(scans), total)
