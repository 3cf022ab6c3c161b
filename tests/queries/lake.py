"""The lake's tables in DuckDB, filled by tests, and the project's views over them: what a view returns, without AWS."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from cli import duckdb_file
from handlers import layout
from handlers.streams import STREAMS
from handlers.tables import TABLES, Table

ROOT = Path(__file__).resolve().parents[2]
VIEWS = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "queries/views").glob("*.sql"))}
NAMED = {path.stem: path.read_text(encoding="utf-8") for path in sorted((ROOT / "queries/named").glob("*.sql"))}
TIMEZONE = "Europe/Berlin"

DUCKDB_TYPES = {
    "string": "VARCHAR",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "boolean": "BOOLEAN",
    "double": "DOUBLE",
    "timestamp": "TIMESTAMP_MS",
    "date": "DATE",
    "array<string>": "VARCHAR[]",
}

Row = Mapping[str, Any]


def table_statement(table: Table) -> str:
    """Return the statement that creates a table in DuckDB."""
    columns = [f'"{column.name}" {DUCKDB_TYPES[column.type]}' for column in table.all_columns]
    return f'CREATE TABLE "{table.name}" ({", ".join(columns)}, "{table.partition_key}" VARCHAR)'


class Lake:
    """A database with every table of `handlers/tables.py`, empty, and every view over them.

    A context manager: the database lives as long as it.
    """

    def __init__(self) -> None:
        self._units: dict[tuple[str, int], list[tuple[str, str]]] = {}
        self._database = duckdb.connect(":memory:")
        self._database.execute("SET TimeZone = 'UTC'")
        # For a few rows, more threads cost more than they save.
        self._database.execute("SET threads = 1")
        for table in TABLES.values():
            self._database.execute(table_statement(table))
        for name in duckdb_file.in_dependency_order(VIEWS):
            self._database.execute(f'CREATE VIEW "{name}" AS {to_duckdb(VIEWS[name])}')

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    @contextlib.contextmanager
    def scenario(self) -> Iterator[Self]:
        """Yield the lake, and roll back everything that was inserted."""
        self._database.begin()
        self._units.clear()
        try:
            yield self
        finally:
            self._database.rollback()

    def insert(self, table: str, **values: Any) -> None:
        """Insert one row into a base table; a column left out is null."""
        known = {column.name for column in TABLES[table].all_columns} | {TABLES[table].partition_key}
        if unknown := values.keys() - known:
            raise KeyError(f"{table} has no column {sorted(unknown)}")
        names = ", ".join(f'"{name}"' for name in values)
        marks = ", ".join("?" for _ in values)
        self._database.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', list(values.values()))

    def insert_all(self, table: str, rows: Sequence[Row]) -> None:
        """Insert many rows into a base table at once; a column missing from a row is null."""
        arrow = pa.Table.from_pylist([dict(row) for row in rows])
        self._database.register("many_rows", arrow)
        self._database.execute(f'INSERT INTO "{table}" BY NAME SELECT * FROM many_rows')
        self._database.unregister("many_rows")

    def repeat_every_row(self) -> None:
        """Insert every row of every base table once more, as at-least-once delivery may."""
        for name in TABLES:
            self._database.execute(f'INSERT INTO "{name}" SELECT * FROM "{name}"')

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query in Athena's SQL."""
        return self._database.execute(to_duckdb(sql)).fetchall()

    def columns(self, sql: str) -> list[str]:
        """Return the column names of a query in Athena's SQL."""
        return [column[0] for column in self._database.execute(to_duckdb(sql)).description or ()]

    def line(
        self,
        stream: str,
        read: str,
        key: str,
        number: int,
        record: Row,
        *,
        account: str = "ana",
        version: int = 1,
    ) -> None:
        """Insert one raw line of a stream as a row of its table, extracted at its run's time."""
        run = _run_of(key)
        table = STREAMS[stream].table
        row = {"source": stream, **record} if table == "plays" else dict(record)
        self.insert(table, **row, **_common(account, run, read, key, number, version))

    def import_plays(self, run: str, plays: Sequence[Row], *, account: str = "ana") -> None:
        """Insert a whole import of an export with many plays, in one object."""
        key = raw_key(run, "streaming_history")
        self.complete(run, "streaming_history", [key], len(plays), account=account)
        self.insert_all(
            "plays",
            [
                {"source": "streaming_history", **play, **_common(account, run, f"read-of-{run}", key, number, 1)}
                for number, play in enumerate(plays, start=1)
            ],
        )

    def entity(self, table: str, key: str, number: int, record: Row, *, account: str = "ana", version: int = 1) -> None:
        """Insert one row of an entity or bridge table that comes from a raw line."""
        self.insert(table, **record, **_common(account, _run_of(key), "read", key, number, version))

    def reject(
        self, stream: str, read: str, key: str, number: int, reason: str, *, account: str = "ana", version: int = 1
    ) -> None:
        """Insert one raw line, or with number 0 a whole object, as a row of `rejected_records`."""
        run = _run_of(key)
        self.insert(
            "rejected_records",
            stream=stream,
            reason=reason,
            detail=f"{reason} at {number}",
            line="null" if number else None,
            **_common(account, run, read, key, number, version),
        )

    def replayed(self, stream: str, key: str, *, account: str = "ana", version: int = 2) -> None:
        """Insert the row that says that a transform wrote a raw object or manifest after its day.

        Only rows of this version and above count from then on.
        """
        known = layout.ManifestKey if stream == "runs" else layout.RawKey
        common = _common(account, known.parse(key).run_id, "read", key, 0, version)
        self.insert("replays", stream=stream, lines=1, **(common | {"_extracted_at": None}))

    def manifest(
        self,
        run: str,
        stream: str,
        *,
        unit: str = "",
        attempt: int = 0,
        account: str | None = "ana",
        status: str = "complete",
        version: int = 1,
        **more: Any,
    ) -> None:
        """Insert one unit of a run manifest as a row of `runs`; `read_complete` is false by default."""
        units = self._units.setdefault((run, attempt), [])
        if (stream, unit) not in units:
            units.append((stream, unit))
        scheduled = layout.run_time(run).replace(tzinfo=None)
        finished = scheduled + timedelta(minutes=attempt + 1)
        values: dict[str, Any] = {
            "run_id": run,
            "attempt": attempt,
            "stream": stream,
            "unit": unit,
            "trigger": run.rpartition("-")[2],
            "scheduled_at": scheduled,
            "started_at": scheduled + timedelta(minutes=attempt),
            "finished_at": finished,
            "run_status": status,
            "read_id": None,
            "status": status,
            "requests": 1,
            "records": 0,
            "objects": 0,
            "read_complete": False,
            "read_keys": [],
            "read_records": 0,
            "account_id": account,
            "_run_id": run,
            "_extracted_at": finished,
            "_raw_key": str(layout.ManifestKey(run, attempt)),
            "_line": units.index((stream, unit)) + 1,
            "_schema_version": version,
        }
        self.insert("runs", **(values | more))

    def complete(
        self,
        run: str,
        stream: str,
        keys: Sequence[str],
        records: int,
        *,
        read: str | None = None,
        mode: str | None = "full",
        **more: Any,
    ) -> None:
        """Insert the manifest row of a finished read."""
        self.manifest(
            run,
            stream,
            **{
                "read_id": read or f"read-of-{run}",
                "mode": mode,
                "read_complete": True,
                "read_keys": list(keys),
                "read_records": records,
                "records": records,
                "objects": len(keys),
                **more,
            },
        )

    def read(
        self,
        run: str,
        stream: str,
        records: Iterable[Row],
        *,
        unit: str = "",
        part: int = 0,
        account: str = "ana",
        on: Mapping[str, int] | None = None,
        **more: Any,
    ) -> str:
        """Insert a whole read in one object: its lines and its manifest row.

        Args:
            run: id of the run.
            stream: name of the stream.
            records: the records read.
            unit: unit of the stream.
            part: number of the object.
            account: the account that is read.
            on: objects that the read builds on, with their line counts: those of the reads before an increment.
            more: other columns of the manifest row.

        Returns:
            The raw key of the object, even if it has no lines and was therefore never written.
        """
        rows = list(records)
        key = raw_key(run, stream, unit=unit, part=part)
        for number, row in enumerate(rows, start=1):
            self.line(stream, more.get("read", f"read-of-{run}"), key, number, row, account=account)
        keys = {**(on or {}), **({key: len(rows)} if rows else {})}
        self.complete(run, stream, [*keys], sum(keys.values()), unit=unit, account=account, **more)
        return key


def run(day: int, hour: int = 6, trigger: str = "daily") -> str:
    """Return the id of a run in November 2026."""
    return layout.run_id(datetime(2026, 11, day, hour, tzinfo=UTC), trigger)


def raw_key(run_id: str, stream: str, *, unit: str = "", part: int = 0) -> str:
    """Return the key of a raw object."""
    return str(layout.RawKey(stream, run_id, part, unit))


def moment(text: str) -> datetime:
    """Return a time as it is in the tables: without a zone."""
    return datetime.fromisoformat(text)


def ran(day: int, start: str, end: str) -> dict[str, Any]:
    """Return when an invocation really ran, in November 2026, as columns of `runs`."""
    return {"started_at": moment(f"2026-11-{day:02d} {start}"), "finished_at": moment(f"2026-11-{day:02d} {end}")}


@functools.cache
def to_duckdb(sql: str) -> str:
    """Translate Athena's SQL, with the time zone filled in, to DuckDB's."""
    return duckdb_file.to_duckdb(sql.replace("${timezone}", TIMEZONE))


def _run_of(key: str) -> str:
    return layout.RawKey.parse(key).run_id


def _common(account: str, run_id: str, read: str, key: str, number: int, version: int) -> dict[str, Any]:
    return {
        "account_id": account,
        "_run_id": run_id,
        "_read_id": read,
        "_extracted_at": layout.run_time(run_id).replace(tzinfo=None),
        "_raw_key": key,
        "_line": number,
        "_schema_version": version,
    }
