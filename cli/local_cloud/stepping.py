"""The running cloud's steps: printed as they happen, and told to whoever lets simulated time pass."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from cli.local_cloud.step_lines import step_line, to_json
from cli.presentation import print_line
from local.control import Command, ControlError, Request, Tell
from local.kept_cloud import KeptCloud
from local.output_log import rotate_output
from local.steps import Step


class Stepping:
    """What a running cloud does, and what other processes may ask of it.

    Args:
        cloud: the cloud.
        console: where steps are printed.
        ended: set to end it.
        log: where this process's output goes if it is in the background.
    """

    def __init__(self, cloud: KeptCloud, console: Console, ended: threading.Event, log: Path) -> None:
        self._cloud = cloud
        self._log = log
        self._console = console
        self._ended = ended
        self._zone = ZoneInfo(cloud.record.timezone)
        self._advancing = threading.Lock()
        self._listener: Callable[[Step], None] | None = None
        self.commands: Mapping[str, Command] = {"status": self._status, "advance": self._advance, "stop": self._stop}
        """What `ControlServer` answers."""

    def on_step(self, step: Step) -> None:
        """Print a step."""
        # On a full disk the log stays as it is.
        with suppress(OSError):
            rotate_output(self._log)
        print_line(self._console, *step_line(step, self._zone))
        if self._listener is not None:
            self._listener(step)

    def advance(self, span: timedelta, tell: Tell = lambda _news: True) -> list[Step]:
        """Let simulated time pass, and return the steps.

        Args:
            span: how much time.
            tell: tells whoever asked about each step; time stops passing when they are gone.

        Raises:
            ControlError: time is already passing, or the cloud ended.
        """
        if not self._advancing.acquire(blocking=False):
            raise ControlError("Simulated time is already passing: wait until it has, and ask again.")
        steps: list[Step] = []

        def listen(step: Step) -> None:
            steps.append(step)
            tell({"step": to_json(step)})

        def is_over() -> bool:
            return self._ended.is_set() or not tell({"now": self._cloud.now.isoformat()})

        try:
            self._listener = listen
            if not self._cloud.advance(span, is_over) and self._ended.is_set():
                raise ControlError("The local cloud was ended meanwhile: what happened until then is kept.")
        finally:
            self._listener = None
            self._advancing.release()
        return steps

    def wait(self) -> None:
        """Wait until no simulated time is passing any more."""
        with self._advancing:
            return

    def _status(self, _request: Request, _tell: Tell) -> Mapping[str, Any]:
        pending = self._cloud.pending()
        return {
            "now": self._cloud.now.isoformat(),
            "timezone": self._cloud.record.timezone,
            "queues": [asdict(queue) for queue in pending.queues],
            "functions": list(pending.functions),
            "coming": [{"name": start.name, "at": start.at.isoformat()} for start in pending.coming],
        }

    def _advance(self, request: Request, tell: Tell) -> Mapping[str, Any]:
        self.advance(timedelta(seconds=request["span"]), tell)
        return self._status(request, tell)

    def _stop(self, _request: Request, _tell: Tell) -> Mapping[str, Any]:
        self._ended.set()
        return {}
