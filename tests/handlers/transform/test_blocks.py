from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.transform import blocks as blocks_module
from handlers.transform.blocks import Block, LongLine, blocks
from handlers.transform.gunzip import Gunzip
from tests.thoroughness import examples


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_module, "BLOCK_BYTES", 16)
        patch.setattr(blocks_module, "MAX_LINE_BYTES", 8)
        patch.setattr(blocks_module, "BLOCK_LINES", 4)
        yield


LINES = st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"").removeprefix(b"\xef")), max_size=30)


@given(lines=LINES, size=st.integers(1, 50), ending=st.sampled_from([b"\n", b""]))
@settings(max_examples=examples(200, 50))
def test_every_line_is_in_one_part_and_keeps_its_number(lines: list[bytes], size: int, ending: bytes) -> None:
    content = b"\n".join(lines) + ending
    parts = list(blocks((content[at : at + size] for at in range(0, len(content), size)), keep=4))

    expected = content.removesuffix(b"\n").split(b"\n") if content else []
    line = 1
    for part in parts:
        if isinstance(part, LongLine):
            assert part.number == line
            assert part.length == len(expected[line - 1]) > 8
            assert part.head == expected[line - 1][:4]
        else:
            assert part.first_line == line
            assert len(part.data) <= 17
            assert part.lines <= 4
            texts = part.data.removesuffix(b"\n").split(b"\n")
            assert texts == expected[line - 1 : line - 1 + part.lines]
            assert max(map(len, texts)) <= 8
        line += part.lines
    assert line - 1 == len(expected)
    assert parts == list(blocks([content], keep=4))


def test_a_block_holds_few_objects_however_short_its_lines_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks_module, "BLOCK_OBJECTS", 2)
    parts = list(blocks([b"{}\n{}\n{}\n[{},{}]\n{}{}{}\n{}\n"], keep=3))
    assert parts == [
        Block(1, b"{}\n"),
        Block(2, b"{}\n{}\n"),
        Block(4, b"[{},{}]\n"),
        Block(5, b"{}{}{}\n"),
        Block(6, b"{}\n"),
    ]


def test_a_byte_order_mark_is_dropped() -> None:
    assert list(blocks([b"\xef", b"\xbb\xbf{}\n"], keep=4)) == [Block(1, b"{}\n")]


def test_a_block_halves_at_a_newline() -> None:
    first, second = Block(7, b"aaaaaaaaaaaaaaaa\nb\nc\n").halves()
    assert (first, second) == (Block(7, b"aaaaaaaaaaaaaaaa\n"), Block(8, b"b\nc\n"))


CONTENT = b"".join(b'{"line": %d}\n' % number for number in range(10_000))


def unzipped(data: bytes, size: int = 1000) -> tuple[bytes, str | None]:
    content = Gunzip(data[at : at + size] for at in range(0, len(data), size))
    whole = b"".join(content)
    return whole, content.problem[0] if content.problem else None


def test_gzip_of_several_members_and_padding_is_one_content() -> None:
    assert unzipped(gzip.compress(CONTENT) + gzip.compress(b"more") + b"\0" * 9) == (CONTENT + b"more", None)


@pytest.mark.parametrize("cut", [1, 4, 8, 12, 5_000])
def test_what_stands_before_a_cut_is_kept(cut: int) -> None:
    whole, problem = unzipped(gzip.compress(CONTENT)[:-cut])
    assert problem == "truncated"
    assert CONTENT.startswith(whole)
    assert whole if cut == 5_000 else whole == CONTENT or cut == 12


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\x1f", "truncated"),
        (b"{}", "not_gzip"),
        (b'{"stream": "profile"}\n' * 10, "not_gzip"),
        (b"\x1f\x8b\x63" + b"x" * 50, "corrupt"),
        (gzip.compress(CONTENT)[:-8] + b"12345678", "corrupt"),
        (gzip.compress(CONTENT) + b"behind it", "corrupt"),
    ],
)
def test_what_is_wrong_with_a_stream_is_told(data: bytes, reason: str) -> None:
    assert unzipped(data)[1] == reason


def test_an_error_of_the_source_is_passed_on() -> None:
    def cut_line() -> Iterator[bytes]:
        yield gzip.compress(CONTENT)[:100]
        raise ConnectionError("the line went dead")

    with pytest.raises(ConnectionError):
        list(Gunzip(cut_line()))


@pytest.mark.slow
def test_no_step_of_a_bomb_fills_memory() -> None:
    content = Gunzip([gzip.compress(bytes(64 * 1024 * 1024))])
    assert max(len(piece) for piece in content) <= 17 * 1024 * 1024
    assert content.problem is None
