"""The Parquet files of one raw object: one per table and partition, written incrementally and stored whole.

The same rows give the same bytes: a file has no timestamp and no random name in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from handlers.tables import TABLES, PartitionKey
from handlers.transform.arrow import pc
from handlers.transform.cut_off import check_months
from handlers.transform.schema import table_schema
from handlers.transform.threads import in_order

_ROW_GROUP_BYTES = 8 * 1024 * 1024
"""Size of the rows buffered for a file before they become a row group."""

_WAITING_BYTES = 48 * 1024 * 1024
"""Maximum size of the rows buffered for all months of `plays` together."""
_PIECE_BYTES = 16 * 1024
"""Overhead of a buffered batch besides its values: with a few plays in each of many months, that is nearly
everything."""

_HARDLY_REPEATED = {"item_uri", "item_name", "track_id", "track_name", "isrc", "_line"}
_HARDLY_REPEATED_IN = {"tracks": {"uri", "name", "spotify_url"}}
"""Columns with nearly as many values as rows: a dictionary would only get in the way."""

_LAST = ("rejected_records", "replays")
"""Tables that are stored after all others, in this order."""


@dataclass(frozen=True)
class TableFile:
    """A finished Parquet file on disk."""

    table: str
    partition: str
    path: Path
    rows: int


@dataclass
class _Open:
    table: str
    path: Path
    writer: pq.ParquetWriter | None = None
    """Opened with the first row group: a file for each of a thousand months would be too many to have open at once."""
    rows: int = 0
    file_bytes: int = 0
    """What was written so far."""
    waiting: list[pa.Table] = field(default_factory=list)
    waiting_bytes: int = 0

    def add(self, rows: pa.Table) -> None:
        self.waiting.append(rows)
        self.waiting_bytes += rows.nbytes + _PIECE_BYTES
        self.rows += rows.num_rows
        if self.waiting_bytes >= _ROW_GROUP_BYTES:
            self.flush()

    def flush(self) -> None:
        if self.waiting:
            whole = pa.concat_tables(self.waiting)
            self.writer = self.writer or table_writer(self.path, self.table)
            self.writer.write_table(whole, row_group_size=len(whole))
            self.waiting, self.waiting_bytes = [], 0
            self.file_bytes = self.path.stat().st_size

    def close(self) -> None:
        self.flush()
        if self.writer:
            self.writer.close()
            # A closed writer still holds fifty kilobytes, and there may be one for each of very many months.
            self.writer = None


class TableFiles:
    """The Parquet files being written to a folder.

    Args:
        folder: an empty folder, for instance a temporary one.
        partitions: partition key → partition of the rows; in `plays` each row has its own month.
    """

    def __init__(self, folder: Path, partitions: Mapping[PartitionKey, str]) -> None:
        self._folder = folder
        self._partitions = partitions
        self._open: dict[tuple[str, str], _Open] = {}

    def add(self, table: str, rows: pa.Table) -> None:
        """Append rows to a table; those of `plays` by their months.

        Raises:
            CutOffError: there would be too many months; nothing was appended.
        """
        if not rows.num_rows:
            return
        if table == "plays":
            # Not with strftime, which needs the system's time zone database even for UTC; Lambda does not guarantee
            # one.
            months = pc.utf8_slice_codeunits(pc.cast(rows["played_at"], pa.string()), 0, len("YYYY-MM"))
            order, start = pc.sort_indices(months), 0
            found = {month["values"]: month["counts"] for month in pc.value_counts(months.take(order)).to_pylist()}
            check_months(len(found.keys() | {partition for opened, partition in self._open if opened == table}))
            for month, count in found.items():
                self._append(table, month, rows.take(order.slice(start, count)))
                start += count
            self._bound_waiting(table)
        else:
            self._append(table, self._partitions[TABLES[table].partition_key], rows)

    @property
    def file_bytes(self) -> int:
        """Size of the Parquet files on disk."""
        return sum(file.file_bytes for file in self._open.values())

    def finish(self) -> Iterator[TableFile]:
        """Close the files and yield them: entities, the streams' tables, rejected records, and `replays` last."""
        opened = sorted(self._open.items(), key=lambda item: (_turn(item[0][0]), item[0]))
        closed = in_order(_Open.close, (file for _, file in opened), threads=2)
        for ((table, partition), file), _ in zip(opened, closed, strict=True):
            yield TableFile(table, partition, file.path, file.rows)

    def _bound_waiting(self, table: str) -> None:
        opened = [file for (name, _), file in self._open.items() if name == table]
        if sum(file.waiting_bytes for file in opened) > _WAITING_BYTES:
            for file in opened:
                file.flush()

    def _append(self, table: str, partition: str, rows: pa.Table) -> None:
        file = self._open.get((table, partition))
        if file is None:
            file = self._open[table, partition] = _Open(table, self._folder / f"{len(self._open)}.parquet")
        file.add(rows)


def table_writer(path: Path, table: str) -> pq.ParquetWriter:
    """Return a writer of a table's Parquet files: the same row groups always give the same bytes."""
    # Without Arrow's own schema in the file, every reader sees the same types; Parquet's are sufficient.
    schema = table_schema(table)
    hardly_repeated = _HARDLY_REPEATED | _HARDLY_REPEATED_IN.get(table, set())
    repeated: Any = [name for name in schema.names if name not in hardly_repeated]
    return pq.ParquetWriter(path, schema, compression="zstd", store_schema=False, use_dictionary=repeated)


def _turn(table: str) -> int:
    """Return the place of a table.

    A read counts as complete by its stream's rows and rejections, so they come after entities. `replays` says that
    all of them are there.
    """
    if table in _LAST:
        return 2 + _LAST.index(table)
    return int(TABLES[table].kind in {"snapshot", "log"})
