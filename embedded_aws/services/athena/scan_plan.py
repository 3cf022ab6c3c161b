"""Which columns of which partitions a query reads, as DuckDB plans it: what Athena counts as scanned.

Athena reads Parquet's column chunks, those of the partitions that a query's conditions leave, and once for every time
that the query reads a table. `count(*)` needs no chunks, only footers, which Athena does not count.
Source: https://qiita.com/yuji_saito/items/8beb6601194460750fd4 (measured)
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from embedded_aws.services.athena.loaded_table import PATH
from embedded_aws.services.athena.sql.functions import MACROS

_OPTIMIZERS = (
    "cte_filter_pusher",
    "cte_inlining",
    "expression_rewriter",
    "filter_pullup",
    "filter_pushdown",
    "in_clause",
    "unused_columns",
)
"""Those that decide what is read; the others order the work, or look at rows, of which there are none here."""

_OPTIONAL = "optional: "
_CACHE_SIZE = 1000


@dataclass(frozen=True)
class Scan:
    """A query's reading of a table."""

    table: str
    """Its qualified name, quoted where needed."""
    columns: frozenset[str]
    conditions: tuple[str, ...]
    """SQL that the rows that it reads fulfil, in DuckDB's dialect."""

    def on(self, keys: Mapping[str, str]) -> str:
        """Return the conditions that concern partition keys alone; empty without any.

        Args:
            keys: the partition keys; only their names count.
        """
        return " AND ".join(
            f"({part.sql('duckdb')})"
            for condition in self.conditions
            for part in _parts(condition)
            if _only(part, keys)
        )


class ScanPlanner:
    """Plans queries in a database of the same tables and views, but without rows."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"autoload_known_extensions": False, "threads": 1})
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute("SET enable_external_access = false")
        others = self._connection.execute(
            "SELECT string_agg(name, ',') FROM duckdb_optimizers() WHERE name NOT IN (SELECT unnest(?))", [_OPTIMIZERS]
        ).fetchone()
        self._connection.execute("SET disabled_optimizers = ?", others)
        self._connection.execute(MACROS)
        self._planned: dict[str, tuple[Scan, ...]] = {}

    def close(self) -> None:
        """Drop everything."""
        self._connection.close()

    def follow(self, statement: str) -> None:
        """Create a schema, table, view or macros."""
        self._connection.execute(statement)
        self._planned.clear()

    def scans(self, sql: str, set_clock: str, *, depends_on_time: bool) -> tuple[Scan, ...]:
        """Return what a query reads.

        Args:
            sql: the query in DuckDB's dialect.
            set_clock: the statement that sets DuckDB's clock.
            depends_on_time: whether what the query reads may be something else later.
        """
        if depends_on_time:
            self._connection.execute(set_clock)
            return self._plan(sql)
        if sql not in self._planned:
            if len(self._planned) >= _CACHE_SIZE:
                self._planned.clear()
            self._planned[sql] = self._plan(sql)
        return self._planned[sql]

    def _plan(self, sql: str) -> tuple[Scan, ...]:
        ((_, plan),) = self._connection.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()
        return tuple(scan for node in json.loads(plan) for scan in _scans(node, ()))

    def select(
        self, partitions: Sequence[tuple[str | None, ...]], keys: Mapping[str, str], condition: str
    ) -> list[int]:
        """Return the places of the partitions that a condition leaves.

        Args:
            partitions: their values.
            keys: name → DuckDB type of each value.
            condition: SQL on the keys.
        """
        columns = ", ".join(
            f'CAST(x[{number}] AS {kind}) AS "{name}"' for number, (name, kind) in enumerate(keys.items(), start=1)
        )
        try:
            rows = self._connection.execute(
                "WITH texts AS (SELECT unnest(?) AS x, unnest(?) AS place),"  # noqa: S608 - DuckDB's own condition
                f" keys AS (SELECT place, {columns} FROM texts) SELECT place FROM keys WHERE {condition}",
                [[list(values) for values in partitions], list(range(len(partitions)))],
            ).fetchall()
        except duckdb.Error:
            # A condition that fails for a partition leaves out none.
            return list(range(len(partitions)))
        return [place for (place,) in rows]


def plain_name(name: str) -> str:
    """Return a qualified name without quotes: DuckDB's plans quote only where they must."""
    return name.replace('"', "")


def _scans(node: dict[str, Any], above: tuple[str, ...]) -> Iterator[Scan]:
    """Yield the scans of a part of a plan; `above` are the conditions just above it."""
    found = node["extra_info"]
    if node["name"].strip() == "FILTER":
        above = (*above, *_texts(found.get("Expression")))
    elif "Table" in found:
        conditions = (*above, *(text.removeprefix(_OPTIONAL) for text in _texts(found.get("Filters"))))
        columns = set(_texts(found.get("Projections")))
        for condition in conditions:
            columns |= {column.name for column in _parsed(condition).find_all(exp.Column)}
            # Its name is not quoted in a plan, so a tree has it as a parameter.
            if PATH in condition:
                columns.add(PATH)
        yield Scan(found["Table"].removeprefix("memory."), frozenset(columns), conditions)
        return
    else:
        above = ()
    for child in node["children"]:
        yield from _scans(child, above)


def _texts(value: Any) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    return [text for text in texts if text]


@functools.lru_cache(_CACHE_SIZE)
def _parsed(condition: str) -> exp.Expr:
    """Return a condition's tree, to be read only; one that cannot be parsed concerns no column."""
    try:
        return sqlglot.parse_one(condition, read="duckdb")
    except SqlglotError:
        return exp.true()


def _parts(condition: str) -> Iterator[exp.Expr]:
    """Yield what all must be true."""
    tree = _parsed(condition).unnest()
    yield from tree.flatten() if isinstance(tree, exp.And) else [tree]


def _only(condition: exp.Expr, keys: Mapping[str, str]) -> bool:
    columns = {column.name for column in condition.find_all(exp.Column)}
    return bool(columns) and columns <= keys.keys()
