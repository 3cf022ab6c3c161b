"""Gzip, streamed: what can be read before a cut or damage is handed on, and what was wrong is told afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from isal import isal_zlib

from handlers.transform.rejections import ObjectReason

_GZIP_WINDOW = 31
_GZIP_ERROR = cast("type[Exception]", isal_zlib.error)  # its stub names an instance, not a class
_GZIP_MAGIC = b"\x1f\x8b"
_TRAILER_BYTES = 8
# Deflate grows a byte to 1032 at most: no step, not even of a bomb, gives more than 17 MB.
_STEP_BYTES = 16 * 1024


class Gunzip:
    """The decompressed content of a gzip stream of one or more members.

    After iteration `problem` says what was wrong with the stream, as a reason and a sentence, or is None.
    """

    problem: tuple[ObjectReason, str] | None

    def __init__(self, compressed: Iterable[bytes]) -> None:
        self._compressed = compressed
        self.problem = None

    def __iter__(self) -> Iterator[bytes]:
        """Yield pieces as they come; an error of the source itself is passed on."""
        member = isal_zlib.decompressobj(_GZIP_WINDOW)
        read = in_member = whole_members = 0
        for step in _steps(self._compressed):
            read += len(step)
            rest = step
            while rest:
                if in_member == 0:
                    if whole_members:
                        rest = rest.lstrip(b"\0")  # gzip allows zeros behind a member
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
            self.problem = ("truncated", f"The gzip stream ends in its middle, after {read} bytes.")


def _not_gzip(read: int, whole_members: int) -> tuple[ObjectReason, str]:
    if whole_members == 0:
        return "not_gzip", "The object does not begin as gzip does."
    return "corrupt", f"What stands behind the end of the gzip stream, within the first {read} bytes, is no gzip."


def _steps(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut small; the trailer comes last and alone, since whoever finds it wrong keeps back what came with it."""
    held = b""
    for chunk in chunks:
        for start in range(0, len(chunk), _STEP_BYTES):
            step = held + chunk[start : start + _STEP_BYTES]
            held = step[-_TRAILER_BYTES:]
            yield step[:-_TRAILER_BYTES]
    yield held
