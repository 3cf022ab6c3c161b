"""The errors that commands raise to tell the user what went wrong."""

from __future__ import annotations


class CommandError(Exception):
    """What went wrong and what to do next, in one sentence."""


class StillRunningError(CommandError):
    """The user stopped the command, but what it had started in AWS continues, as the message says."""
