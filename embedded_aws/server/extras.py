"""Settings that moto accepts without storing them."""

from __future__ import annotations

from typing import Any


class Extras:
    """Settings of resources that moto drops and the services here need."""

    def __init__(self) -> None:
        self.functions: dict[str, dict[str, Any]] = {}
        """Function ARN → `DeadLetterConfig` (`{"TargetArn"}`) and `LoggingConfig` (`{"LogGroup", "LogFormat",
        "ApplicationLogLevel", "SystemLogLevel"}`) of `CreateFunction`, as far as given."""

    def state(self) -> Any:
        """Return the settings to keep."""
        return self.functions

    def restore(self, state: Any) -> None:
        """Continue with kept settings."""
        self.functions = state

    def function(self, arn: str) -> dict[str, Any]:
        """Return the settings of a function; empty if there are none."""
        return self.functions.get(arn, {})
