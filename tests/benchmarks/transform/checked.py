"""Checks that all contenders wrote the same tables: equal columns and equal rows.

The transform writes tracks, albums and artists once per block, the others once per object: only distinct rows are
compared, without the line and time of the record. `python -m tests.benchmarks.transform.checked FOLDER` takes a folder
with one folder per contender, and prints the number of rows in each contender's tables.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

from tests.benchmarks.transform.measured import THREADS

TABLES = ("playlist_items", "tracks", "albums", "artists", "track_artists", "album_artists")


class DifferentTablesError(AssertionError):
    """A contender wrote other tables than the rest."""


def main(folder: str) -> None:
    """Compare every contender with the first.

    Raises:
        DifferentTablesError: the tables of one differ.
    """
    folders = sorted(path for path in Path(folder).iterdir() if path.is_dir())
    rows = {}
    with duckdb.connect(config={"threads": THREADS}) as connection:
        for table in TABLES:
            found = {path.name: _content(connection, path / f"{table}*.parquet", table) for path in folders}
            if len({tuple(content) for _, content in found.values()}) != 1:
                raise DifferentTablesError(f"The contenders differ in {table}: {found}.")
            rows[table] = {name: count for name, (count, _) in found.items()}
    print(json.dumps(rows))


def _content(connection: duckdb.DuckDBPyConnection, files: Path, table: str) -> tuple[int, list[object]]:
    """Return the number of rows in files, and their content: columns, distinct rows and a checksum."""
    described = connection.execute(f"DESCRIBE FROM '{files}'").fetchall()
    sighting = () if table == "playlist_items" else ("_line", "_extracted_at")
    compared = ", ".join(f'"{name}"' for name, *_ in described if name not in sighting)
    (count,), *_ = connection.execute(f"SELECT count(*) FROM '{files}'").fetchall()
    distinct = f"SELECT DISTINCT {compared} FROM '{files}'"
    (said,) = connection.execute(f"SELECT count(*), bit_xor(hash(entry)) FROM ({distinct}) AS entry").fetchall()
    return count, [tuple(f"{name} {type_}" for name, type_, *_ in described), *said]


if __name__ == "__main__":
    main(*sys.argv[1:])
