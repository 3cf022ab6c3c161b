"""Faults on request: which requests go wrong, and how."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Fault:
    """A rule that makes some requests go wrong; it counts the requests that it matches.

    Attributes:
        path: part of the path; "" matches every request, the token endpoint's too.
        nth: which of the matching requests, from 1; None means all.
        action: `answer` sends status, headers and body, `reset` breaks the connection without an answer.
        matched: how many requests have matched so far.
    """

    path: str
    nth: Collection[int] | None = None
    action: Literal["answer", "reset"] = "answer"
    status: int = 500
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    matched: int = 0

    def strikes(self, path: str) -> bool:
        """Count a request, and tell whether it goes wrong."""
        if self.path not in path:
            return False
        self.matched += 1
        return self.nth is None or self.matched in self.nth
