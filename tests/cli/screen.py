"""What a command prints, and targets without a cloud."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from rich.console import Console

from cli.targets import Target


class Screen:
    """A console that keeps what is printed."""

    def __init__(self) -> None:
        self._file = io.StringIO()
        self.console = Console(file=self._file, width=200)

    @property
    def text(self) -> str:
        return self._file.getvalue()

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def target_with(outputs: Mapping[str, Any], **clients: Any) -> Target:
    """A target whose clients are the given objects, by service."""
    return Target("the stack dev in eu-central-1", outputs, clients.__getitem__)
