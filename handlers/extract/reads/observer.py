"""Observers of a pass over a list."""

from __future__ import annotations

from typing import Any

from handlers.raw.state import Content


class Observer:
    """Sees every record of a pass; what it has seen so far is stored while the pass is interrupted."""

    def begin(self, seen: Content | None) -> None:
        """Start a pass, or resume one with what `content` returned when it was interrupted."""

    def see(self, value: Any) -> None:
        """Look at one record."""

    def content(self) -> Content:
        """Return what was seen so far, as JSON."""
        return {}
