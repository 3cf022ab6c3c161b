"""What to say of a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Sequence


def advice(name: str, possible: Sequence[str]) -> str:
    """Return the end of a sentence on a wrong name: the nearest one that is possible, else all of them."""
    near = difflib.get_close_matches(name, possible, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"choose from {', '.join(possible)}."
