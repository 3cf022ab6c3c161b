"""A stream of bytes split into blocks of whole lines, to keep memory use independent of the object's size."""

from __future__ import annotations

import codecs
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BLOCK_BYTES = 8 * 1024 * 1024
"""Maximum size of a block: large enough for columnar work, small enough for a small function."""

BLOCK_LINES = 32 * 1024
"""Maximum number of lines in a block. Real raw lines reach the maximum size first, but a line of a few bytes takes as
many columns, or as large a rejection, as any other."""

BLOCK_VALUES = 256 * 1024
"""Approximate maximum number of values in a block of long lines: albums full of tracks have fewer, and lists of tiny
values would need many times the memory."""

_LONG_LINES_BYTES = 16 * 1024
"""Average line length from which values are counted."""

BLOCK_OBJECTS = 192 * 1024
"""Maximum number of objects in a block of several lines; real raw lines have a third of that. Even an empty object
takes a slot in every column of its kind."""

MAX_LINE_BYTES = 4 * 1024 * 1024
"""Maximum length of a line. Spotify's longest record, an album of fifty tracks with their markets, has 0.2 MB."""


_OPEN, _CLOSE = b"{}"


@dataclass(frozen=True)
class Block:
    """At most `BLOCK_LINES` whole lines, none longer than `MAX_LINE_BYTES`, and the number of the first one, from 1."""

    first_line: int
    data: bytes

    @property
    def lines(self) -> int:
        """The number of lines; the last one may be without a newline."""
        return self._look[0]

    @property
    def holds_objects(self) -> bool:
        """Whether every line begins with `{` and ends with `}`."""
        return self._look[1]

    @functools.cached_property
    def _look(self) -> tuple[int, bool]:
        # By `find`, which is several times as fast as `count` and finds the ends of the lines on the way.
        data, find, length = self.data, self.data.find, len(self.data)
        lines, start, objects = 0, 0, True
        while start < length:
            newline = find(b"\n", start)
            end = length if newline < 0 else newline
            lines += 1
            if data[start] != _OPEN or data[end - 1] != _CLOSE:
                objects = objects and data.startswith(b"{", start) and data.endswith(b"}\r", start, end)
            start = end + 1
        return lines, objects

    def halves(self) -> tuple[Block, Block]:
        """Split a block of two or more lines at the last newline before its middle, or else the first one after it."""
        middle = self.data.rfind(b"\n", 0, len(self.data) // 2) + 1 or self.data.find(b"\n") + 1
        first = Block(self.first_line, self.data[:middle])
        return first, Block(self.first_line + first.lines, self.data[middle:])


@dataclass(frozen=True)
class LongLine:
    """A line longer than `MAX_LINE_BYTES`, or with more values than a block may hold: its beginning and its length."""

    number: int
    head: bytes
    length: int
    lines: int = 1


def blocks(pieces: Iterable[bytes], *, keep: int) -> Iterator[Block | LongLine]:
    """Split at newlines, in order; where depends only on the content, not on the pieces.

    Args:
        pieces: the content, in pieces of any size; a leading byte order mark is dropped.
        keep: how many bytes of an overlong line to keep.
    """
    line = 1
    buffer = _Buffer()
    skipped: LongLine | None = None  # a line longer than a block, whose end is still to come
    for piece in _without_mark(pieces):
        rest = piece
        if skipped is not None:
            end = piece.find(b"\n")
            length = skipped.length + (len(piece) if end < 0 else end)
            skipped = LongLine(line, skipped.head, length)
            if end < 0:
                continue
            yield skipped
            line, skipped, rest = line + 1, None, piece[end + 1 :]
        buffer.append(rest)
        while len(buffer) >= BLOCK_BYTES:
            whole_lines = buffer.take_lines(BLOCK_BYTES)
            if whole_lines is None:
                length = len(buffer)
                skipped = LongLine(line, buffer.take_all()[:keep], length)
                break
            for part in _cut_out_long(whole_lines, line, keep):
                yield part
                line += part.lines
    if skipped is not None:
        yield skipped
    elif len(buffer):
        yield from _cut_out_long(buffer.take_all(), line, keep)


class _Buffer:
    """Bytes waiting for the end of their block, in the pieces they came in: each is copied once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, piece: bytes) -> None:
        if piece:
            self._pieces.append(piece)
            self._length += len(piece)

    def take_lines(self, most: int) -> bytes | None:
        """Take the whole lines within the first `most` bytes, or one longer line; None where no line ends."""
        before = self._length - len(self._pieces[-1])
        cut = self._pieces[-1].rfind(b"\n", 0, most - before) + 1
        if before < most and cut:
            last = self._pieces.pop()
            taken = b"".join((*self._pieces, last[:cut]))
            self._pieces, self._length = [], 0
            self.append(last[cut:])
            return taken
        whole = self.take_all()
        cut = whole.rfind(b"\n", 0, most) + 1 or whole.find(b"\n") + 1
        self.append(whole[cut:])
        return whole[:cut] if cut else None

    def take_all(self) -> bytes:
        whole = b"".join(self._pieces)
        self._pieces, self._length = [], 0
        return whole


def _without_mark(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Drop a leading byte order mark, even one split over pieces."""
    head, whole = b"", False
    for piece in pieces:
        if whole:
            yield piece
            continue
        head += piece
        if len(head) >= len(codecs.BOM_UTF8):
            whole = True
            yield head.removeprefix(codecs.BOM_UTF8)
    if not whole:
        yield head


def _cut_out_long(data: bytes, line: int, keep: int) -> Iterator[Block | LongLine]:
    """Split whole lines into blocks and overlong lines."""
    start = position = 0
    while len(data) - position > MAX_LINE_BYTES:
        newline = data.rfind(b"\n", position, position + MAX_LINE_BYTES + 1)
        if newline >= 0:
            position = newline + 1
            continue
        if position > start:
            for part in _cut_up(Block(line, data[start:position]), keep):
                yield part
                line += part.lines
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        yield LongLine(line, data[position : position + keep], end - position)
        line += 1
        start = position = end + 1
    if start < len(data):
        yield from _cut_up(Block(line, data[start:]), keep)


def _cut_up(block: Block, keep: int) -> Iterator[Block | LongLine]:
    """Split a block with too many lines or values; a single line with too many counts as overlong."""
    data = block.data
    if block.lines <= BLOCK_LINES and not _has_too_many_values(data, block.lines):
        yield block
    elif block.lines == 1:
        yield LongLine(block.first_line, data[:keep], len(data.removesuffix(b"\n")))
    else:
        for half in block.halves():
            yield from _cut_up(half, keep)


def _has_too_many_values(data: bytes, lines: int) -> bool:
    if len(data) > lines * _LONG_LINES_BYTES and data.count(b",") >= BLOCK_VALUES:
        return True
    # A single line has no more of them than values, unless they are nested.
    return lines > 1 and data.count(b"{") > BLOCK_OBJECTS
