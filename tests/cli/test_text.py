"""How text from outside is shown in the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.text import clipped, quoted, visible
from tests.thoroughness import examples

# As a terminal would obey them, or a reader be deceived by them.
UNSAFE = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *"\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    *"\u00ad\u180e\u200b\u200c\u200d\u2028\u2029\u2060\u2064\ufeff\ufff9\U000e0001\U000e0041\U000e007f",
    *"\ud800\udc80\udfff",
]


@pytest.mark.parametrize("character", UNSAFE)
def test_an_unsafe_character_becomes_visible_and_is_not_just_dropped(character: str) -> None:
    shown = visible(f"a{character}b")
    assert shown.isprintable()
    assert shown.startswith("a")
    assert shown.endswith("b")
    assert len(shown) > len("ab")


def test_what_stands_in_the_place_of_an_unsafe_character() -> None:
    assert visible("\x1b[2J\r\n\x00\x7f\x9b\u202egpj\ufeff\udc80") == r"␛[2J␍␊␀␡\x9b\u202egpj\ufeff\udc80"
    assert visible("\U000e0041") == r"\U000e0041"


@pytest.mark.parametrize(
    "title",
    [
        "Motörhead – Ace of Spades [Remastered]",
        "فيروز، نسم علينا الهوى",
        "می‌خواهم",  # with the non-joiner that Persian writes
        "שלום עליכם",
        "ภาษาไทย",
        "ភាសា\u200bខ្មែរ",  # with the space of no width that Khmer puts between words
        "क्‍ष",  # with a joiner
        "夜に駆ける\u3000配信",
        "e\u0301tude",
        "👩‍👩‍👧 ❤️‍🔥 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
        "٤٥ \u0600١",
        "no\u00a0break",
    ],
)
def test_titles_of_every_script_stay_as_they_are(title: str) -> None:
    assert visible(title) == title


@given(st.text(st.characters()))
@settings(max_examples=examples(100, 20))
def test_of_any_text_nothing_is_left_that_controls_the_terminal(text: str) -> None:
    shown = visible(text)
    assert not [one for one in shown if unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not set(shown) & set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u2060")
    assert visible(shown) == shown
    shown.encode("utf-8")


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs"))))
@settings(max_examples=examples(100, 20))
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_a_message_of_another_program_is_one_short_line() -> None:
    assert quoted(ValueError("first\n  second\x1b[31m")) == "first second␛[31m"
    assert quoted("x" * 5000) == f"{'x' * 499}…"
    assert clipped("abcd", 4) == "abcd"
    assert clipped("abcde", 4) == "abc…"
