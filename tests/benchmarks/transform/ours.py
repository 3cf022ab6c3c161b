"""The transform itself, from the bytes of a raw object to Parquet files on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from handlers.layout import ACCOUNT_ID_METADATA, READ_ID_METADATA
from handlers.transform.raw_objects import transform_raw
from handlers.transform.table_files import TableFiles
from tests.benchmarks.transform.generated import ACCOUNT, KEY, READ

_CHUNK_BYTES = 1024 * 1024


def make_tables(raw: Path, folder: Path) -> None:
    """Write a Parquet file per table into a folder."""
    files = TableFiles(folder, {"month": "2026-11", "year": "2026"})
    counts = transform_raw(_chunks(raw), KEY, {READ_ID_METADATA: READ, ACCOUNT_ID_METADATA: ACCOUNT}, files)
    if counts.rejected:
        raise AssertionError(f"{counts.rejected} lines were rejected.")
    for file in files.finish():
        file.path.rename(folder / f"{file.table}.parquet")


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield a file in chunks, like the body of an S3 object."""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
