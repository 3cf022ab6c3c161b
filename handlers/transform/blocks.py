"""A stream of bytes cut into blocks of whole lines, so that memory stays flat whatever the size of the object."""

from __future__ import annotations

import codecs
import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

BLOCK_BYTES = 8 * 1024 * 1024
"""What a block holds at most: enough for columnar work, little enough for a small function."""

MAX_LINE_BYTES = 4 * 1024 * 1024
"""How long a line may be; the longest record of Spotify's, an album of fifty tracks with their markets, has 0.2 MB."""


@dataclass(frozen=True)
class Block:
    """Whole lines, none longer than `MAX_LINE_BYTES`, and the number of the first, from 1."""

    first_line: int
    data: bytes

    @functools.cached_property
    def lines(self) -> int:
        """How many lines the block holds; the last one may lack its newline."""
        return self.data.count(b"\n") + (not self.data.endswith(b"\n"))

    def halves(self) -> tuple[Block, Block]:
        """Cut a block of two lines or more at the newline nearest before its middle, else the first behind it."""
        middle = self.data.rfind(b"\n", 0, len(self.data) // 2) + 1 or self.data.find(b"\n") + 1
        first = Block(self.first_line, self.data[:middle])
        return first, Block(self.first_line + first.lines, self.data[middle:])


@dataclass(frozen=True)
class LongLine:
    """A line longer than `MAX_LINE_BYTES`: its beginning, and how long it was."""

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
    buffer = bytearray()
    skipped: LongLine | None = None  # a line longer than a block, whose end is still to come
    bom = codecs.BOM_UTF8
    for piece in pieces:
        rest = piece
        if skipped is not None:
            end = piece.find(b"\n")
            length = skipped.length + (len(piece) if end < 0 else end)
            skipped = LongLine(line, skipped.head, length)
            if end < 0:
                continue
            yield skipped
            line, skipped, rest = line + 1, None, piece[end + 1 :]
        buffer += rest
        if bom and len(buffer) >= len(bom):
            buffer, bom = buffer.removeprefix(bom), b""
        while len(buffer) >= BLOCK_BYTES:
            cut = buffer.rfind(b"\n", 0, BLOCK_BYTES) + 1 or buffer.find(b"\n") + 1
            if cut == 0:
                skipped = LongLine(line, bytes(buffer[:keep]), len(buffer))
                buffer.clear()
                break
            for part in _cut_out_long(bytes(buffer[:cut]), line, keep):
                yield part
                line += part.lines
            del buffer[:cut]
    if skipped is not None:
        yield skipped
    elif buffer:
        yield from _cut_out_long(bytes(buffer), line, keep)


def _cut_out_long(data: bytes, line: int, keep: int) -> Iterator[Block | LongLine]:
    """Part whole lines into blocks and the lines between them that are too long."""
    start = position = 0
    while len(data) - position > MAX_LINE_BYTES:
        newline = data.rfind(b"\n", position, position + MAX_LINE_BYTES + 1)
        if newline >= 0:
            position = newline + 1
            continue
        if position > start:
            block = Block(line, data[start:position])
            yield block
            line += block.lines
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        yield LongLine(line, data[position : position + keep], end - position)
        line += 1
        start = position = end + 1
    if start < len(data):
        yield Block(line, data[start:])
