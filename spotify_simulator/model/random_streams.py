"""Chance that repeats: the same seed and purpose always give the same numbers."""

from __future__ import annotations

import string
from random import Random

_BASE62 = string.digits + string.ascii_letters


def dice(seed: int, *purpose: object) -> Random:
    """Return a generator of its own for one purpose, so that drawing more for one thing changes no other."""
    return Random("/".join(str(part) for part in (seed, *purpose)))  # noqa: S311 - a model's dice, no secret


def new_id(chance: Random) -> str:
    """Return an id as Spotify gives them: 22 characters of base 62."""
    return "".join(chance.choices(_BASE62, k=22))
