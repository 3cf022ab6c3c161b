"""The error that every command raises towards the user."""

from __future__ import annotations


class CommandError(Exception):
    """What went wrong and what to do next, in one sentence."""
