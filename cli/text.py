"""Makes text from outside (titles, file names, messages of other programs) safe to show in a terminal.

A terminal obeys control characters, and invisible characters make one text look like another. Only this module defines
which characters those are; `cli.presentation` applies it to everything that a command prints.
"""

from __future__ import annotations

import re
import unicodedata

_QUOTED_CHARACTERS = 500
_CONTROL_PICTURES = 0x2400
_DELETE = 0x7F
_PICTURE_OF_DELETE = "\u2421"
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# The characters of category Cf that have a glyph: number signs in Arabic, Syriac and Kaithi.
_WITH_GLYPH = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Invisible characters that some scripts need: spaces and joiners between letters of scripts from Hebrew on and between
# emoji, and the tag letters that follow a black flag (as in England's flag). Latin, Greek and Cyrillic need none of
# them; there they only make two names look alike.
_NEEDED = re.compile(
    "(?<=[\u0590-\u1fff\u2190-\U000e01ef])[\u200b-\u200d]"
    "|(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
)


def visible(text: str) -> str:
    r"""Return the text as one line in which every character is visible and none controls the terminal.

    Control characters become symbols (escape becomes `␛`, a line break `␊`); directional marks, other invisible
    characters and lone surrogates become escapes (`\u202e`). Letters of every script, accents and emoji are kept.
    """
    if text.isprintable():
        return text
    parts: list[str] = []
    end = 0
    for needed in _NEEDED.finditer(text):
        parts += [*map(_visible, text[end : needed.start()]), needed[0]]
        end = needed.end()
    return "".join([*parts, *map(_visible, text[end:])])


def quoted(message: object) -> str:
    """Return a message of another program as a clause of a sentence: on one line and not too long."""
    return clipped(visible(" ".join(str(message).split())), _QUOTED_CHARACTERS)


def clipped(text: str, length: int) -> str:
    """Return the text, or its beginning and an ellipsis if it has more than `length` characters."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSAFE_CATEGORIES or character in _WITH_GLYPH:
        return character
    number = ord(character)
    if number < 0x20:
        return chr(_CONTROL_PICTURES + number)
    if number == _DELETE:
        return _PICTURE_OF_DELETE
    return character.encode("ascii", "backslashreplace").decode("ascii") if number > 0xFF else f"\\x{number:02x}"
