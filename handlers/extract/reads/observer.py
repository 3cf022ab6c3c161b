"""What looks on while a list is read."""

from __future__ import annotations

from typing import Any

from handlers.raw.state import Content


class Observer:
    """Is shown every record of a pass; what it has seen outlasts a cut."""

    def begin(self, seen: Content | None) -> None:
        """A pass begins, or goes on with what `content` gave when it was cut off."""

    def see(self, value: Any) -> None:
        """Look at one record."""

    def content(self) -> Content:
        """What was seen so far, as JSON."""
        return {}
