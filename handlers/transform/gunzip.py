"""Streaming gzip decompression: passes on what precedes a truncation or damage, then reports the problem."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from isal import isal_zlib

from handlers.transform.rejections import ObjectReason

_GZIP_WINDOW = 31
_GZIP_ERROR = cast("type[Exception]", isal_zlib.error)  # its stub names an instance, not a class
_GZIP_MAGIC = b"\x1f\x8b"
_TRAILER_BYTES = 8
# Deflate expands a byte to at most 1032: no step, not even of a bomb, yields more than 17 MB.
_STEP_BYTES = 16 * 1024


class Gunzip:
    """The decompressed content of a gzip stream of one or more members.

    After iteration, `problem` is the reason and a sentence on what is wrong with the stream, or None.
    """

    problem: tuple[ObjectReason, str] | None

    def __init__(self, compressed: Iterable[bytes]) -> None:
        self._compressed = compressed
        self.problem = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces as they come; an error of the source itself propagates."""
        member = isal_zlib.decompressobj(_GZIP_WINDOW)
        read = in_member = whole_members = 0
        for step in _steps(self._compressed):
            read += len(step)
            rest = step
            while rest:
                if in_member == 0:
                    if whole_members:
                        rest = rest.lstrip(b"\0")  # gzip allows zeros after a member
                    if not rest.startswith(_GZIP_MAGIC[: len(rest)]):
                        self.problem = _not_gzip(read, whole_members)
                        return
                in_member += len(rest)
                try:
                    piece = member.decompress(rest)
                except _GZIP_ERROR as error:
                    self.problem = ("corrupt", f"The gzip stream is damaged within its first {read} bytes: {error}.")
                    return
                yield piece
                rest = b""
                if member.eof:
                    rest = member.unused_data
                    member, in_member = isal_zlib.decompressobj(_GZIP_WINDOW), 0
                    whole_members += 1
        if read == 0:
            self.problem = ("empty", "The object has no bytes.")
        elif in_member:
            self.problem = ("truncated", f"The gzip stream is truncated after {read} bytes.")


def _not_gzip(read: int, whole_members: int) -> tuple[ObjectReason, str]:
    if whole_members == 0:
        return "not_gzip", "The object does not start with a gzip header."
    return "corrupt", f"What follows the end of the gzip stream, within the first {read} bytes, is not gzip."


def _steps(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split into small pieces; the trailer comes last and alone, since a wrong one discards the rest of its piece."""
    held = b""
    for chunk in chunks:
        for start in range(0, len(chunk), _STEP_BYTES):
            step = held + chunk[start : start + _STEP_BYTES]
            held = step[-_TRAILER_BYTES:]
            yield step[:-_TRAILER_BYTES]
    yield held
