"""How an engine takes the place of what moto only pretends to do."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replaced(owner: Any, name: str, replacement: Any) -> Iterator[None]:
    """Put `replacement` where `owner` has `name`, and the original back at the end.

    Raises:
        AttributeError: `owner` has nothing of that name, so this version of moto is not the one that is patched.
    """
    original = getattr(owner, name)
    setattr(owner, name, replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)
