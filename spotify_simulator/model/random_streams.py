"""Repeatable randomness: the same seed and purpose always give the same numbers."""

from __future__ import annotations

import string
from random import Random

_BASE62 = string.digits + string.ascii_letters


def random_stream(seed: int, *purpose: object) -> Random:
    """Return a random generator for one purpose: drawing more numbers for one does not affect the others."""
    return Random("/".join(str(part) for part in (seed, *purpose)))  # noqa: S311 - a model's random_stream, no secret


def new_id(rng: Random) -> str:
    """Return an id like Spotify's: 22 characters of base 62."""
    return "".join(rng.choices(_BASE62, k=22))
