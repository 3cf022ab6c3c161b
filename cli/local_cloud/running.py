"""What the commands ask of the cloud that is running."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cli.errors import CommandError
from cli.text import quoted
from local.control import ControlError, ask
from local.running_cloud import RunningCloud


def running_cloud() -> RunningCloud:
    """Return the cloud that is running.

    Raises:
        CommandError: none is.
    """
    running = RunningCloud.find()
    if running is None:
        raise CommandError("No local cloud is running: start one with `spotify-etl local up`.")
    return running


def answers(running: RunningCloud, command: str, *, seconds: float | None = 10, **details: Any) -> Iterator[Any]:
    """Ask a running cloud, and yield its news, then its result.

    Raises:
        CommandError: it refused, or did not answer.
    """
    with _sentences():
        yield from ask(running.control, running.control_key, command, seconds=seconds, **details)


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except ControlError as error:
        sentence = quoted(error)
        if not sentence.endswith("."):
            sentence += ": see `spotify-etl local status`, or end it with `spotify-etl local down`."
        raise CommandError(sentence) from error
