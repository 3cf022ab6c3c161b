"""Waiting for a program's outputs."""

from __future__ import annotations

import asyncio
from typing import Any

from pulumi.runtime.settings import SETTINGS


async def outputs_settled() -> None:
    """Wait until every output of the program that runs has a value, or one has failed.

    Pulumi waits too, but begins again with all of them whenever one is done: a third of the time of a program with 150
    resources (`wait_for_rpcs` of pulumi 3).
    """
    while waiting := [output for output in SETTINGS.outputs if not output.done()]:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION)
        if any(_has_failed(output) for output in done):
            # Those that depend on it may never be done.
            return
    # An output of an event loop that has ended removes itself no more, and Pulumi would wait for it alone.
    SETTINGS.outputs -= {output for output in SETTINGS.outputs if output.done() and not _has_failed(output)}


def _has_failed(output: asyncio.Future[Any]) -> bool:
    return output.cancelled() or output.exception() is not None
