"""What someone may have meant by a name that does not exist."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_MOST = 3
_LEAST_ALIKE = 0.75


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three of the known names that are nearly the given one, or end with it, the nearest first.

    Case, hyphens and underscores do not matter: `daily_at` is `dailyAt`, and `berlin` means `Europe/Berlin`.
    """
    by_letters = {_letters(each): each for each in known}
    wanted = _letters(name)
    if wanted in by_letters:
        return [by_letters[wanted]]
    ends = [letters for letters in by_letters if wanted and letters.endswith(f"/{wanted}")]
    near = difflib.get_close_matches(wanted, by_letters, n=_MOST, cutoff=_LEAST_ALIKE)
    return [by_letters[letters] for letters in dict.fromkeys([*ends, *near])][:_MOST]


def _letters(name: str) -> str:
    return re.sub("[-_ ]", "", name).lower()
