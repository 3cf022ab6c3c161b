"""The steps of the embedded AWS, for commands that show them without running it."""

from __future__ import annotations

from embedded_aws import Step

__all__ = ["Step"]
