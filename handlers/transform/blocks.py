"""A stream of bytes cut into blocks of whole lines, so that memory stays flat whatever the size of the object."""

from __future__ import annotations

import codecs
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BLOCK_BYTES = 8 * 1024 * 1024
"""What a block holds at most: enough for columnar work, little enough for a small function."""

BLOCK_LINES = 32 * 1024
"""How many lines a block holds at most: raw lines reach its bytes long before, but a line of a few bytes costs as many
columns, or as large a rejection, as any."""

BLOCK_VALUES = 256 * 1024
"""How many values a block holds about at most where lines are long: albums full of tracks hold fewer, and lists of next
to nothing would need many times the memory."""

_LONG_LINES_BYTES = 16 * 1024
"""Where lines are longer than this on average their values are counted."""

BLOCK_OBJECTS = 192 * 1024
"""How many objects a block of several lines holds at most: raw lines hold a third of that. Even an empty one takes a
place in all columns of its kind."""

MAX_LINE_BYTES = 4 * 1024 * 1024
"""How long a line may be; the longest record of Spotify's, an album of fifty tracks with their markets, has 0.2 MB."""


_OPEN, _CLOSE = b"{}"


@dataclass(frozen=True)
class Block:
    """At most `BLOCK_LINES` whole lines, none longer than `MAX_LINE_BYTES`, and the number of the first, from 1."""

    first_line: int
    data: bytes

    @property
    def lines(self) -> int:
        """How many lines the block holds; the last one may lack its newline."""
        return self._look[0]

    @property
    def holds_objects(self) -> bool:
        """Whether every line begins with `{` and ends with `}`."""
        return self._look[1]

    @functools.cached_property
    def _look(self) -> tuple[int, bool]:
        # By `find`, which is several times as fast as `count`, and sees the ends of the lines on its way.
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
        """Cut a block of two lines or more at the newline nearest before its middle, else the first behind it."""
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
    """Cut at newlines, in order; where the cuts fall depends on the content alone, not on the pieces.

    Args:
        pieces: the content, in pieces of any size; a byte order mark in front is dropped.
        keep: how many bytes of a line that is too long are kept.
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
    """Bytes that wait for the end of their block, in the pieces they came in: each is copied once."""

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
    """Drop a byte order mark in front, also one that comes in pieces."""
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
    """Part whole lines into blocks and the lines between them that are too long."""
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
    """Part a block that has too many lines or values; a line that has too many alone is as good as too long."""
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
    # A line alone has no more of them than values, unless they stand in one another.
    return lines > 1 and data.count(b"{") > BLOCK_OBJECTS
