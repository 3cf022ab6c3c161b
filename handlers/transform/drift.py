"""Drift: what Spotify sent differently from what is declared. One finding per path, however many records show it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Finding:
    """One path with unexpected values, or an unexpected path."""

    path: str
    found: str
    line: int
    """The first line that shows it; 0 if unknown."""
    count: int = 0


@dataclass
class Drift:
    """The findings of one object, by path."""

    findings: dict[str, Finding] = field(default_factory=dict)

    def add(self, path: str, found: str, *, line: int = 0, count: int = 1) -> None:
        """Count unexpected values of a path: they became null, were repaired, or have no column."""
        self.findings.setdefault(path, Finding(path, found, line)).count += count
