"""The deployed functions: their configuration as Lambda holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cli.targets import Target, aws_errors

FUNCTIONS = ("extract", "transform", "publish", "compact")
"""The names of the pipeline's functions, in the order of the flow."""


@dataclass(frozen=True, kw_only=True)
class DeployedFunction:
    """One of the pipeline's functions."""

    step: str
    """One of `FUNCTIONS`."""
    name: str
    arn: str
    role: str
    """ARN of its role."""
    log_group: str
    environment: Mapping[str, str]
    timeout_seconds: int
    memory_mb: int
    architecture: str
    asked_at: datetime
    """AWS's clock when it answered. That of this machine may differ, and that of a local cloud may be days ahead."""


def deployed_function(target: Target, step: str) -> DeployedFunction:
    """Return the configuration of one of `FUNCTIONS`.

    Raises:
        CommandError: AWS refused the request, or an older version deployed the stack.
    """
    name, log_groups = target.output(f"{step}_function_name"), target.output("log_group_names")
    with aws_errors():
        found = target.client("lambda").get_function_configuration(FunctionName=name)
    return DeployedFunction(
        step=step,
        name=name,
        arn=found["FunctionArn"],
        role=found["Role"],
        log_group=log_groups[step],
        environment=found.get("Environment", {}).get("Variables", {}),
        timeout_seconds=found["Timeout"],
        memory_mb=found["MemorySize"],
        architecture=found.get("Architectures", ["x86_64"])[0],
        asked_at=service_time(found),
    )


def service_time(response: Mapping[str, Any]) -> datetime:
    """Return AWS's time when it sent a response; UTC, in whole seconds."""
    date = response["ResponseMetadata"]["HTTPHeaders"].get("date", "")
    try:
        return parsedate_to_datetime(date).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC).replace(microsecond=0)
