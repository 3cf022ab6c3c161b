"""Raw objects: gzip JSON lines, written once, each part belonging to one read."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

from handlers import layout
from handlers.raw.bucket import KeyTakenError, RawBucket

_BUFFER_BYTES = 1 << 16

PART_BYTES = 32 * 1024 * 1024
"""Size of a part before compression: about ten thousand records."""
HELD_BYTES = 128 * 1024 * 1024
"""Compressed size of finished parts that may be held on the function's 512 MB disk."""
_json = json.JSONEncoder(separators=(",", ":")).encode


class Provenance(Protocol):
    """The request that a record came from, such as a `Response` of Spotify's."""

    @property
    def path(self) -> str:
        """Path below the API's base URL; empty if no API was involved."""

    @property
    def params(self) -> Mapping[str, str]:
        """Query parameters."""

    @property
    def extracted_at(self) -> datetime:
        """When the response arrived."""


class RawWriter:
    """Writes the records of one read in parts, through files to keep memory flat; uploads the rest on exit.

    Args:
        bucket: the raw bucket.
        folder: holds parts until they are uploaded.
        stream: name of the stream.
        unit: playlist id, id of a catalogue entry, hash of an imported file, or ''.
        run_id: run that writes.
        read_id: read that the records belong to.
        account_id: account that they belong to.
        earlier_keys: keys of the same read that are already uploaded; part numbers of the same run continue after them.
        hold: hold finished parts until the end, up to `HELD_BYTES`, so that `discard` can drop them.
        keep_on_error: exceptions after which the records so far are uploaded; any other drops them.
    """

    def __init__(
        self,
        bucket: RawBucket,
        folder: Path,
        *,
        stream: str,
        unit: str,
        run_id: str,
        read_id: str,
        account_id: str,
        earlier_keys: Sequence[str] = (),
        hold: bool = False,
        keep_on_error: type[Exception] | tuple[()] = (),
    ) -> None:
        self.keys: list[str] = []
        """Uploaded keys."""
        self.records = 0
        """Uploaded lines."""
        self._bucket = bucket
        self._folder = folder
        self._stream = stream
        self._unit = unit
        self._run_id = run_id
        self._read_id = read_id
        self._account_id = account_id
        self._hold = hold
        self._keep_after = keep_on_error
        self._part = _next_part(earlier_keys, run_id)
        self._files = 0
        self._open: _Part | None = None
        self._finished: list[_Part] = []
        self._source: Provenance | None = None
        self._head = ""

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

    def add(self, record: Any, source: Provenance, context: Mapping[str, Any] | None = None) -> None:
        """Write one record with its request, and with context that the record itself does not have."""
        if source is not self._source:
            self._source, self._head = source, self._head_of(source)
        line = f'{self._head},"context":{_json(dict(context)) if context else "{}"},"record":{_json(record)}}}\n'
        if self._open is None:
            self._files += 1
            self._open = _Part(self._folder / f"{self._read_id}-{self._files}")
        # ASCII: JSON may contain lone surrogates, which UTF-8 cannot encode.
        self._open.write(line.encode("ascii"))
        if self._open.size >= PART_BYTES:
            self._finish_part()
            if not self._hold or sum(part.path.stat().st_size for part in self._finished) > HELD_BYTES:
                self._hold = False
                self._upload()

    def _head_of(self, source: Provenance) -> str:
        """Return what the lines of all records of one request begin with."""
        head = {
            "stream": self._stream,
            "run_id": self._run_id,
            "read_id": self._read_id,
            "extracted_at": layout.written(source.extracted_at),
            "account_id": self._account_id,
            "request": {"path": source.path, "params": dict(source.params)},
        }
        return _json(head).removesuffix("}")

    def discard(self) -> None:
        """Drop the parts that are not uploaded yet."""
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
        """Upload under the first free part number: an earlier attempt of the run may have used some."""
        while True:
            key = str(layout.RawKey(self._stream, self._run_id, self._part, self._unit))
            self._part += 1
            try:
                self._bucket.put_new(key, body, "application/gzip", metadata)
            except KeyTakenError:
                continue
            return key


def _next_part(earlier_keys: Sequence[str], run_id: str) -> int:
    keys = [layout.RawKey.parse(key) for key in earlier_keys]
    return max((key.part + 1 for key in keys if key.run_id == run_id), default=0)


class _Part:
    """A gzip file under construction; the same lines give the same bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self.size = 0
        self._file: IO[bytes] = path.open("wb")
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=self._file, mtime=0)
        # Compressing many lines at once takes less time than one after the other.
        self._lines = io.BufferedWriter(self._gzip, _BUFFER_BYTES)

    def write(self, line: bytes) -> None:
        self._lines.write(line)
        self.lines += 1
        self.size += len(line)

    def close(self) -> None:
        self._lines.close()
        self._file.close()
