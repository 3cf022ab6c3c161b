"""What Spotify sent otherwise than declared: kept to one finding a path, however many records show it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Finding:
    """One path whose values are not what they should be, or that should not be there."""

    path: str
    found: str
    line: int
    """The first line that shows it; 0 where that is not known."""
    count: int = 0


@dataclass
class Drift:
    """The findings of one object, by path."""

    findings: dict[str, Finding] = field(default_factory=dict)

    def add(self, path: str, found: str, *, line: int = 0, count: int = 1) -> None:
        """Count values of a path that are not as declared: they became null, were repaired, or have no column."""
        self.findings.setdefault(path, Finding(path, found, line)).count += count
