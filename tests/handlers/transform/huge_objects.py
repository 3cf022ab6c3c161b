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
from handlers.streams import STREAMS
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


def _plays(months: int, times: int) -> Iterable[bytes]:
    """As many plays a block as a block may hold lines, of as many months as there are, the same again and again."""
    line = b'{"account_id":"a","record":{"ts":"%04d-%02d-01T00:00:00Z","spotify_track_uri":"u"}}\n'
    whole = b"".join(line % (1500 + number % months // 12, 1 + number % 12) for number in range(32_760))
    return _repeated(whole, times)


CASES: dict[str, tuple[str, Callable[[], Iterable[bytes]]]] = {
    "a gigabyte of good lines": ("playlist_items", _entries),
    "a type changed in every line": ("playlist_items", _entries_of_another_type),
    "a line of 200 MB": ("saved_tracks", _a_long_line),
    "a bomb of zeros": ("saved_tracks", lambda: _repeated(bytes(2**24), 64)),
    "gigabytes of blank lines": ("saved_tracks", lambda: _repeated(b"\n" * 2**24, 256)),
    "millions of empty objects": ("saved_tracks", lambda: _repeated(b"{}\n" * 300_000, 10)),
    "millions of lines of another type": (
        "saved_tracks",
        lambda: _repeated(_SAVED.replace(b'"u"', b"7") * 30_000, 100),
    ),
    "plays of 20,000 months": ("streaming_history", lambda: _plays(20_000, 1)),
    "plays of 600 months": ("streaming_history", lambda: _plays(600, 12)),
    "a bomb of members": ("saved_tracks", lambda: _repeated(b"", 100_000)),
    "albums of nothing but tracks": ("saved_albums", _albums),
    "short lines of nothing but artists": ("saved_tracks", _short_lines_of_nothing_but_artists),
}
"""Stream and pieces of each object."""


def main(case: str) -> None:
    """Transform an object and print what that took."""
    stream, pieces = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        files = TableFiles(Path(folder), {"month": "2026-11", "year": "2026"})
        counts = transform_raw(pieces(), RawKey(stream, RUN, 0), {}, files)
        rows = [file.rows for file in files.finish() if file.table == STREAMS[stream].table]
    print(counts.lines, counts.rejected, sum(rows), round(peak_mb()))


if __name__ == "__main__":
    main(*sys.argv[1:])
