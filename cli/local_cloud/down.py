"""`spotify-etl local down`: ends the cloud that is running."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress

from rich.console import Console

from cli.errors import CommandError
from cli.local_cloud.running import answers, running_cloud
from cli.presentation import print_line
from local.running_cloud import is_running

_SECONDS = 60
"""How long it may take to end."""


def end(console: Console) -> None:
    """End the cloud that is running, and wait until it has ended.

    Raises:
        CommandError: none is running, or it does not end.
    """
    running = running_cloud()
    try:
        for _ in answers(running, "stop"):
            pass
    except CommandError:
        if not is_running():
            raise CommandError("No local cloud is running any more: it ended unexpectedly.") from None
        with suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + _SECONDS
    with console.status("Ending …"):
        while is_running():
            if time.monotonic() > deadline:
                raise CommandError(
                    f"The local cloud (process {running.pid}) has not ended after {_SECONDS} seconds: `kill -9 "
                    f"{running.pid}` ends it at once, and loses nothing that was answered."
                )
            time.sleep(0.1)
    print_line(console, f"The local cloud has ended; its data are in {running.data}.")
