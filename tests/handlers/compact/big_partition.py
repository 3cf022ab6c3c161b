"""A partition that holds more than memory does, compacted from a folder in a process of its own.

`python -m tests.handlers.compact.big_partition FOLDER` prints, as JSON, what that took; `write` makes the folder.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from handlers.compact.bucket import TransformedBucket
from handlers.compact.event import CompactionEvent
from handlers.compact.partition import Retention
from handlers.compact.run import CompactionRun
from handlers.layout import RawKey, table_key
from handlers.transform.schema import table_schema
from handlers.transform.table_files import table_writer
from tests.benchmarks.memory import peak_mb

TABLE, MONTH = "playlist_items", "2026-11"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class FolderS3:
    """The calls that a compaction makes, on files; an ETag is a file's size and time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def list_objects_v2(self, *, Bucket: str, Prefix: str, StartAfter: str) -> dict[str, Any]:  # noqa: N803 boto3's names
        del Bucket
        top = self._folder / Prefix.rpartition("/")[0]
        found = sorted(str(path.relative_to(self._folder)) for path in top.rglob("*") if path.is_file())
        page = [key for key in found if key.startswith(Prefix) and key > StartAfter][:1000]
        items = [
            {"Key": key, "ETag": self._etag(key), "Size": (self._folder / key).stat().st_size, "LastModified": NOW}
            for key in page
        ]
        return {"Contents": items, "IsTruncated": bool(page) and page[-1] != found[-1]}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        del Bucket
        path = self._folder / Key
        if not path.exists():
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        raw: Any = path.open("rb")
        return {"ETag": self._etag(Key), "Body": StreamingBody(raw, path.stat().st_size)}

    def put_object(self, *, Bucket: str, Key: str, Body: Any, **_: str) -> None:  # noqa: N803
        del Bucket
        path = self._folder / Key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(io.BytesIO(Body) if isinstance(Body, bytes) else Body, file)

    def _etag(self, key: str) -> str:
        stat = (self._folder / key).stat()
        return f"{stat.st_size}-{stat.st_mtime_ns}"


def write(folder: Path, objects: int, rows: int) -> None:
    """Write originals of a partition, each with so many entries of a playlist, about 500 bytes of memory a row."""
    schema = table_schema(TABLE)
    for number in range(objects):
        raw_key = RawKey(TABLE, f"20261123T{number % 24:02}0000Z-hourly", number)
        stream, stem = TABLE, raw_key.stem
        path = folder / table_key(TABLE, "month", MONTH, stream, stem)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = rows_of(schema, str(raw_key), number * rows, rows)
        with table_writer(path, TABLE) as writer:
            writer.write_table(made)


def rows_of(schema: pa.Schema, raw_key: str, first: int, count: int) -> pa.Table:
    """Return so many entries of a playlist of one raw object, from a number on."""
    ids = [f"{(first + number) * 2654435761 % 2**64:022x}" for number in range(count)]
    moments = [1_700_000_000_000 + (first + number) * 61_000 for number in range(count)]
    values: dict[str, Any] = {
        "playlist_id": ["2ZONg885GRx1XlgcsNVzLk"] * count,
        "position": range(count),
        "item_uri": [f"spotify:track:{one}" for one in ids],
        "track_id": ids,
        "added_at": moments,
        "item_name": [f"A title of some length, {one[8:]}" for one in ids],
        "artist_name": [f"An artist {number % 500}" for number in range(count)],
        "album_name": [f"An album with a longer name {number % 900}" for number in range(count)],
        "duration_ms": [moment % 400_000 for moment in moments],
        "account_id": ["aB3dE5fG7h"] * count,
        "_raw_key": [raw_key] * count,
        "_line": range(1, count + 1),
        "_schema_version": [2] * count,
    }
    columns = [
        pa.array(values[one.name], one.type.value_type).dictionary_encode()
        if one.name in values and pa.types.is_dictionary(one.type)
        else pa.array(values[one.name], one.type)
        if one.name in values
        else pa.nulls(count, one.type)
        for one in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def main(folder: Path) -> None:
    """Compact a folder and print what it took."""
    s3: Any = FolderS3(folder)
    read = sum(path.stat().st_size for path in (folder / "tables").rglob("*.parquet"))
    start, cpu = time.perf_counter(), time.process_time()
    run = CompactionRun(TransformedBucket(s3, "bucket"), Retention(400, 400), CompactionEvent(table=TABLE), NOW)
    summary = run.run()
    took = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
    print(json.dumps({**summary.to_json(), **took, "read_mb": read / 1e6, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
