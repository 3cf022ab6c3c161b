"""The error that commands raise to tell the user what went wrong."""

from __future__ import annotations


class CommandError(Exception):
    """What went wrong and what to do next, in one sentence."""
