"""Raw objects that hold more than memory does: one is transformed in this process, which prints what that took.

`python -m tests.handlers.transform.huge_objects CASE` prints lines, rejected lines, rows of the stream's table, and all
the memory in MB that the process ever held at once.
"""

from __future__ import annotations

import gzip
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from handlers.layout import RawKey
from handlers.transform.raw_objects import transform_raw
from handlers.transform.table_files import TableFiles
from tests.benchmarks.memory import peak_mb
from tests.benchmarks.transform.generated import RUN, lines

_SAVED = b'{"account_id":"a","record":{"added_at":"2026-07-01T12:00:00Z","track":{"uri":"u","type":"track"}}}\n'


def _repeated(content: bytes, times: int) -> Iterable[bytes]:
    """A gzip member again and again: one object, of which only a member is ever in memory."""
    return itertools.repeat(gzip.compress(content, 1), times)


def _entries() -> Iterable[bytes]:
    return _repeated(b"".join(lines(4_000)), 105)


def _entries_of_another_type() -> Iterable[bytes]:
    changed = (line.replace(b'"duration_ms":', b'"duration_ms":1.0,"was":') for line in lines(4_000))
    return _repeated(b"".join(changed), 5)


def _a_long_line() -> Iterable[bytes]:
    return itertools.chain(
        [gzip.compress(_SAVED)], _repeated(b"x" * 2**20, 200), [gzip.compress(b"\n")], [gzip.compress(_SAVED)]
    )


def _albums() -> Iterable[bytes]:
    track = b'{"id":"a","artists":[{"id":"b"}]}'
    start = b'{"account_id":"a","record":{"added_at":"2026-07-01T12:00:00Z","album":{"id":"a","tracks":{"items":['
    return _repeated((start + b",".join([track] * 120_000) + b"]}}}}\n") * 2, 5)


def _short_lines_of_nothing_but_artists() -> Iterable[bytes]:
    start = (
        b'{"account_id":"a","record":{"added_at":"2026-07-01T12:00:00Z","track":{"uri":"u","type":"track","artists":['
    )
    return _repeated((start + b",".join([b"{}"] * 5_350) + b"]}}}\n") * 60, 60)


CASES: dict[str, tuple[str, Callable[[], Iterable[bytes]]]] = {
    "a gigabyte of good lines": ("playlist_items", _entries),
    "a type changed in every line": ("playlist_items", _entries_of_another_type),
    "a line of 200 MB": ("saved_tracks", _a_long_line),
    "a bomb of zeros": ("saved_tracks", lambda: _repeated(bytes(2**24), 64)),
    "a bomb of blank lines": ("saved_tracks", lambda: [gzip.compress(b"\n" * 300_000)]),
    "a bomb of empty objects": ("saved_tracks", lambda: [gzip.compress(b"{}\n" * 300_000)]),
    "a bomb of members": ("saved_tracks", lambda: _repeated(b"", 100_000)),
    "albums of nothing but tracks": ("saved_albums", _albums),
    "short lines of nothing but artists": ("saved_tracks", _short_lines_of_nothing_but_artists),
}
"""Stream and pieces of each object."""


def main(case: str) -> None:
    """Transform an object and print what that took."""
    stream, pieces = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        files = TableFiles(Path(folder), {"dt": "2026-11-23", "month": "2026-11"})
        counts = transform_raw(pieces(), RawKey(stream, RUN, 0), {}, files)
        rows = {file.table: file.rows for file in files.finish()}
    print(counts.lines, counts.rejected, rows.get(stream, 0), round(peak_mb()))


if __name__ == "__main__":
    main(*sys.argv[1:])
