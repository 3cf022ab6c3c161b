"""AWS in one process on 127.0.0.1: moto, complemented by what it only pretends to do, behind IAM."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # Normal imports would load moto in the light processes of functions and Pulumi programs.
    from embedded_aws.clock import SimulatedClock
    from embedded_aws.cloud import EmbeddedAws
    from embedded_aws.iam.recorder import PolicyRecorder
    from embedded_aws.persistence.errors import (
        DataDamagedError,
        DataError,
        DataInUseError,
        DataNotSavedError,
        DataVersionError,
    )
    from embedded_aws.pulumi_mocks import DeploymentError
    from embedded_aws.runtime.step_log import Step
    from embedded_aws.server.faults import RequestFault
    from embedded_aws.server.server import PortInUseError, ServerBusyError

__all__ = [
    "DataDamagedError",
    "DataError",
    "DataInUseError",
    "DataNotSavedError",
    "DataVersionError",
    "DeploymentError",
    "EmbeddedAws",
    "PolicyRecorder",
    "PortInUseError",
    "RequestFault",
    "ServerBusyError",
    "SimulatedClock",
    "Step",
]

# Imported on first access.
_MODULES = {
    **dict.fromkeys(
        ("DataDamagedError", "DataError", "DataInUseError", "DataNotSavedError", "DataVersionError"),
        "embedded_aws.persistence.errors",
    ),
    "DeploymentError": "embedded_aws.pulumi_mocks",
    "EmbeddedAws": "embedded_aws.cloud",
    "RequestFault": "embedded_aws.server.faults",
    "PolicyRecorder": "embedded_aws.iam.recorder",
    "PortInUseError": "embedded_aws.server.server",
    "ServerBusyError": "embedded_aws.server.server",
    "SimulatedClock": "embedded_aws.clock",
    "Step": "embedded_aws.runtime.step_log",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
