"""Two buckets in memory, raw objects to put into the one, tables to read from the other."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from handlers.layout import TABLES_PREFIX, RawKey, outputs_key
from handlers.transform.outputs import Outputs
from handlers.transform.raw_objects import transform_raw
from handlers.transform.table_files import TableFiles
from handlers.transform.transformer import Result, Transformer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RAW, TRANSFORMED = "raw-bucket", "transformed-bucket"
RUN = "20261123T060000Z-daily"
ON_THE_DAY = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
"""Shortly after the run."""
READ = f"{RUN}-read"
ACCOUNT = "aB3dE5fG7h"
EXTRACTED_AT = "2026-11-23T06:00:01.250Z"
FIXTURES = Path(__file__).parent / "fixtures"


def raw_line(stream: str, record: Any, context: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A raw line as the extractor writes it."""
    if context is None and stream == "playlist_items":
        context = {"playlist_id": "2ZONg885GRx1XlgcsNVzLk", "snapshot_id": "AAAAC4PDlJ8cOJKA", "position": 0}
    return {
        "stream": stream,
        "run_id": RUN,
        "read_id": READ,
        "extracted_at": EXTRACTED_AT,
        "account_id": ACCOUNT,
        "request": {"path": "me", "params": {"limit": 50}},
        "context": dict(context or {}),
        "record": record,
        **fields,
    }


def encode(line: Any) -> bytes:
    """A line as bytes, without its newline; bytes stay as they are."""
    return line if isinstance(line, bytes) else json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode()


def compressed(lines: Iterable[Any]) -> bytes:
    """Raw lines as the extractor stores them."""
    return gzip.compress(b"".join(encode(line) + b"\n" for line in lines), mtime=0)


def metadata_of(lines: Sequence[Any]) -> dict[str, str]:
    """The S3 metadata that the extractor gives a raw object."""
    return {"read-id": READ, "account-id": ACCOUNT, "lines": str(len(lines))}


class FileStage:
    """Raw lines to tables without buckets: quick, for what lines become."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0
        self._tables: dict[str, list[dict[str, Any]]] = {}

    def transform(self, stream: str, lines: Sequence[Any]) -> Result:
        """Transform lines; `rows` then speaks of these."""
        self._runs += 1
        folder = self._folder / str(self._runs)
        folder.mkdir()
        files = TableFiles(folder, {"month": "2026-11", "year": "2026"})
        key = RawKey(stream, RUN, 0)
        counts = transform_raw([compressed(lines)], key, metadata_of(lines), files)
        self._tables = {}
        for file in files.finish():
            self._tables.setdefault(file.table, []).extend(pq.ParquetFile(file.path).read().to_pylist())
        rows = {table: len(rows) for table, rows in self._tables.items()}
        return Result("transformed", Outputs(str(key), {}, rows, counts.lines, counts.rejected), counts.drift)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a table."""
        return self._tables.get(name, [])


class Stage:
    """The buckets and the transformer between them."""

    def __init__(self, s3: S3Client) -> None:
        self.s3 = s3
        self.now = ON_THE_DAY
        self.transformer = Transformer(s3, RAW, TRANSFORMED, lambda: self.now)

    def put(self, key: str, body: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Store an object in the raw bucket."""
        self.s3.put_object(Bucket=RAW, Key=key, Body=body, Metadata=dict(metadata or {}))
        return key

    def put_lines(self, stream: str, lines: Sequence[Any], *, part: int = 0, unit: str = "") -> str:
        """Store a raw object with the metadata that the extractor gives it."""
        return self.put(str(RawKey(stream, RUN, part, unit)), compressed(lines), metadata_of(lines))

    def transform(self, stream: str, lines: Sequence[Any]) -> Result:
        """Store lines and transform them."""
        return self.transformer.transform(self.put_lines(stream, lines))

    def keys(self, prefix: str = TABLES_PREFIX) -> list[str]:
        """The keys in the transformed bucket."""
        found = self.s3.list_objects_v2(Bucket=TRANSFORMED, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def body(self, key: str) -> bytes:
        """The bytes of an object in the transformed bucket."""
        return self.s3.get_object(Bucket=TRANSFORMED, Key=key)["Body"].read()

    def everything(self) -> dict[str, bytes]:
        """Every object in the transformed bucket."""
        return {key: self.body(key) for key in self.keys("")}

    def tables(self, name: str) -> list[pa.Table]:
        """The Parquet files of a table."""
        return [pq.read_table(io.BytesIO(self.body(key))) for key in self.keys(f"{TABLES_PREFIX}{name}/")]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """The rows of a table, in the order of the files and in them."""
        return [row for table in self.tables(name) for row in table.to_pylist()]

    def note(self, raw_key: str) -> dict[str, Any]:
        """What `outputs/` says of a raw object."""
        noted: dict[str, Any] = json.loads(self.body(outputs_key(raw_key)))
        return noted
