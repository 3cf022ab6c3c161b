"""Raw objects: gzip JSON lines, written once, each part belonging to one read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

from handlers import layout
from handlers.raw.bucket import Bucket, KeyTakenError

PART_BYTES = 32 * 1024 * 1024
"""Size of a part before compression: some ten thousand records."""
HELD_BYTES = 128 * 1024 * 1024
"""Size of finished parts, compressed, that may wait on the function's disk of 512 MB."""


class Source(Protocol):
    """What served a record, and when; an Answer of Spotify's is one."""

    @property
    def path(self) -> str:
        """Below the API's base URL; '' where no API was asked."""

    @property
    def params(self) -> Mapping[str, str]:
        """Of the request."""

    @property
    def extracted_at(self) -> datetime:
        """When it was served."""


class RawWriter:
    """Writes the records of one read, part after part, through a file so that memory stays flat.

    As a context it uploads what is left at the end.

    Args:
        bucket: the raw bucket.
        folder: where parts lie until they are uploaded.
        stream: name of the stream.
        unit: playlist id, id of what the catalogue asked for, hash of an imported file, or ''.
        run_id: run that writes.
        read_id: read that the records belong to.
        account_id: account that they belong to.
        before: keys of the same read that were uploaded already; parts of this run are numbered behind them.
        hold: keep finished parts back until the end, so that `discard` can drop them; more than `HELD_BYTES` are not.
        keep_after: the kind of error that, ending the context, leaves what was served worth keeping; after any other
            what is left is dropped.
    """

    def __init__(
        self,
        bucket: Bucket,
        folder: Path,
        *,
        stream: str,
        unit: str,
        run_id: str,
        read_id: str,
        account_id: str,
        before: Sequence[str] = (),
        hold: bool = False,
        keep_after: type[Exception] | tuple[()] = (),
    ) -> None:
        self.keys: list[str] = []
        """Keys of what was uploaded."""
        self.records = 0
        """Lines in what was uploaded."""
        self._bucket = bucket
        self._folder = folder
        self._stream = stream
        self._unit = unit
        self._run_id = run_id
        self._read_id = read_id
        self._account_id = account_id
        self._hold = hold
        self._keep_after = keep_after
        self._part = _next_part(before, run_id)
        self._files = 0
        self._open: _Part | None = None
        self._finished: list[_Part] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, self._keep_after):
            self._finish_part()
            self._upload()
        else:
            self.discard()

    def add(self, record: Any, source: Source, context: Mapping[str, Any] | None = None) -> None:
        """Write one record with where it was served and what it lacks itself."""
        line = {
            "stream": self._stream,
            "run_id": self._run_id,
            "read_id": self._read_id,
            "extracted_at": layout.written(source.extracted_at),
            "account_id": self._account_id,
            "request": {"path": source.path, "params": dict(source.params)},
            "context": dict(context or {}),
            "record": record,
        }
        if self._open is None:
            self._files += 1
            self._open = _Part(self._folder / f"{self._read_id}-{self._files}")
        # ASCII: JSON may hold half surrogates, which UTF-8 cannot.
        self._open.write(json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n")
        if self._open.size >= PART_BYTES:
            self._finish_part()
            if not self._hold or sum(part.path.stat().st_size for part in self._finished) > HELD_BYTES:
                self._hold = False
                self._upload()

    def discard(self) -> None:
        """Drop what was not uploaded."""
        self._finish_part()
        while self._finished:
            self._finished.pop().path.unlink()

    def _finish_part(self) -> None:
        if self._open is not None:
            self._open.close()
            self._finished.append(self._open)
            self._open = None

    def _upload(self) -> None:
        while self._finished:
            part = self._finished[0]
            metadata = layout.raw_metadata(self._read_id, self._account_id, part.lines)
            self.keys.append(self._put(part.path.read_bytes(), metadata))
            self.records += part.lines
            self._finished.pop(0).path.unlink()

    def _put(self, body: bytes, metadata: Mapping[str, str]) -> str:
        """Upload under the first free part number: an earlier attempt of the run may have taken some."""
        while True:
            key = str(layout.RawKey(self._stream, self._run_id, self._part, self._unit))
            self._part += 1
            try:
                self._bucket.put_new(key, body, "application/gzip", metadata)
            except KeyTakenError:
                continue
            return key


def _next_part(before: Sequence[str], run_id: str) -> int:
    keys = [layout.RawKey.parse(key) for key in before]
    return max((key.part + 1 for key in keys if key.run_id == run_id), default=0)


class _Part:
    """One gzip file in the making; the same lines give the same bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.size = 0
        self._file: IO[bytes] = path.open("wb")
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._file, mtime=0)

    def write(self, line: bytes) -> None:
        self._gzip.write(line)
        self.lines += 1
        self.size += len(line)

    def close(self) -> None:
        self._gzip.close()
        self._file.close()
