"""Raw objects of an import, of the very kind that the extract function writes: gzip JSON lines, written once."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cli.export_files import HashedFile
from cli.raw_bucket import KeyTakenError, RawBucket
from handlers import layout

STREAM = "streaming_history"
PART_BYTES = 32 * 1024 * 1024
"""Size of a part before compression."""


@dataclass(frozen=True)
class Run:
    """One import: all files that are given together."""

    account_id: str
    started_at: datetime

    @property
    def id(self) -> str:
        """Its run id."""
        return layout.run_id(self.started_at, "import")


class RawObjects:
    """Writes the plays of one file, part after part, each held in memory until it is uploaded.

    The same plays in the same run give the same bytes.
    """

    def __init__(self, bucket: RawBucket, run: Run, hashed_file: HashedFile) -> None:
        self.keys: list[str] = []
        """Keys of what was uploaded."""
        self.records = 0
        """Lines in what was uploaded."""
        self._bucket = bucket
        self._run = run
        self._unit = hashed_file.unit
        self._read_id = hashed_file.content_hash
        self._extracted_at = layout.written(run.started_at)
        self._number = 0
        self._part = _Part()

    def add(self, play: Mapping[str, Any]) -> None:
        """Write one play; a full part is uploaded.

        Raises:
            CommandError: AWS did not take the part.
        """
        line = {
            "stream": STREAM,
            "run_id": self._run.id,
            "read_id": self._read_id,
            "extracted_at": self._extracted_at,
            "account_id": self._run.account_id,
            "request": {"path": "", "params": {}},
            "context": {},
            "record": play,
        }
        # ASCII, as the extract function writes it.
        self._part.write(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
        if self._part.size >= PART_BYTES:
            self.finish()

    def finish(self) -> None:
        """Upload what is left.

        Raises:
            CommandError: AWS did not take it.
        """
        if not self._part.lines:
            return
        metadata = layout.raw_metadata(self._read_id, self._run.account_id, self._part.lines)
        self.keys.append(self._put(self._part.closed(), metadata))
        self.records += self._part.lines
        self._part = _Part()

    def _put(self, body: bytes, metadata: Mapping[str, str]) -> str:
        """Upload under the first free part number: another import of the same second may have taken some."""
        while True:
            key = str(layout.RawKey(STREAM, self._run.id, self._number, self._unit))
            self._number += 1
            try:
                self._bucket.put_new(key, body, "application/gzip", metadata)
            except KeyTakenError:
                continue
            return key


class _Part:
    """One gzip file in the making."""

    def __init__(self) -> None:
        self.lines = 0
        self.size = 0
        self._bytes = io.BytesIO()
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._bytes, mtime=0)

    def write(self, line: bytes) -> None:
        self._gzip.write(line)
        self.lines += 1
        self.size += len(line)

    def closed(self) -> bytes:
        self._gzip.close()
        return self._bytes.getvalue()
