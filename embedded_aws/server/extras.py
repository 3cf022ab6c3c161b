"""What was configured though moto accepts it without keeping it."""

from __future__ import annotations

from typing import Any


class Extras:
    """Settings of resources that moto drops and the engines need.

    Attributes:
        functions: function ARN → what `CreateFunction` was given of `DeadLetterConfig` (`{"TargetArn"}`) and
            `LoggingConfig` (`{"LogGroup", "LogFormat", "ApplicationLogLevel", "SystemLogLevel"}`), in the API's names.
    """

    def __init__(self) -> None:
        self.functions: dict[str, dict[str, Any]] = {}

    def function(self, arn: str) -> dict[str, Any]:
        """Return what is kept of one function; empty if nothing is."""
        return self.functions.get(arn, {})
