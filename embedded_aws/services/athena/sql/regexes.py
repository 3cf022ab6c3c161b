"""Groups of regular expressions: whether one may be missing from a match, which is NULL in Trino and '' in DuckDB."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp

_UNKNOWN = "group_unless_empty"
_OPTIONAL = ("?", "*", "{0")
_PART = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]|\((?:\?[^()]*?[:)])?|.", re.DOTALL)
"""An escape, a class, the start of a group, or any other character."""


def group_macro(pattern: exp.Expr, group: exp.Expr) -> str:
    """Return the macro that extracts a group, by what the pattern says of it.

    Args:
        pattern: the regular expression; cast to varchar if it is a literal.
        group: the number of the group.
    """
    written = pattern.this if isinstance(pattern, exp.Cast) else pattern
    if not isinstance(written, exp.Literal) or not isinstance(group, exp.Literal) or group.is_string:
        return _UNKNOWN
    number = int(group.name)
    if number == 0:
        return "group"
    found = _groups(str(written.this))
    if number not in found:
        return "no_group"
    content, may_be_missing = found[number]
    if not may_be_missing:
        return "group"
    try:
        is_empty = re.fullmatch(content, "") is not None
    except re.error:
        return _UNKNOWN
    return _UNKNOWN if is_empty else "group_or_null"


@dataclass
class _Level:
    """An open group, or the pattern as a whole."""

    number: int | None
    """None if it captures nothing."""
    start: int
    """Where its content starts."""
    within: list[int]
    """The groups in it that are closed."""
    has_alternatives: bool = False


def _groups(pattern: str) -> dict[int, tuple[str, bool]]:
    """Return the capturing groups of a pattern: number → content, and whether a match may be without it."""
    found: dict[int, tuple[str, bool]] = {}
    levels = [_Level(None, 0, [])]
    count = 0
    for part in _PART.finditer(pattern):
        text = part[0]
        if _opens(text):
            is_group = text == "(" or text.startswith("(?P<")
            count += is_group
            levels.append(_Level(count if is_group else None, part.end(), []))
        elif text == "|":
            levels[-1].has_alternatives = True
        elif text == ")" and len(levels) > 1:
            closed = levels.pop()
            if closed.number is not None:
                found[closed.number] = (pattern[closed.start : part.start()], False)
            levels[-1].within += _close(closed, found, is_optional=pattern.startswith(_OPTIONAL, part.end()))
    _close(levels[0], found, is_optional=False)
    return found


def _opens(part: str) -> bool:
    """Return whether a part of a pattern starts a group; `(?i)` does not."""
    return part.startswith("(") and not part.endswith(")")


def _close(level: _Level, found: dict[int, tuple[str, bool]], *, is_optional: bool) -> list[int]:
    """Note which groups a match may be without, and return all of a group, itself among them."""
    if level.has_alternatives:
        _mark(found, level.within)
    groups = level.within if level.number is None else [*level.within, level.number]
    if is_optional:
        _mark(found, groups)
    return groups


def _mark(found: dict[int, tuple[str, bool]], numbers: list[int]) -> None:
    """Note that a match may be without groups."""
    for number in numbers:
        found[number] = (found[number][0], True)
