"""Errors on demand: requests that fail as they sometimes do on AWS."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from embedded_aws.iam.operation import UnsupportedOperationError
from embedded_aws.server.requests import AwsRequest
from embedded_aws.server.service_models import has_operation, route


@dataclass(frozen=True, kw_only=True)
class RequestFault:
    """An error that requests for one operation get.

    Raises:
        ValueError: no caller but the owner may use such an operation here, or a number is out of its range.
    """

    service: str
    """Signing name of the service, such as "s3", or "monitoring" for CloudWatch."""
    operation: str
    """E.g. "PutObject"."""
    code: str = "InternalError"
    """AWS's error code. Clients retry some codes, such as "SlowDown", and every status from 500 on."""
    status: int = 500
    """HTTP status, 400 to 599."""
    message: str = "We encountered an internal error. Please try again."
    skip: int = 0
    """How many requests succeed first."""
    times: int = 1
    """How many requests fail after those."""
    is_done: bool = False
    """Whether the operation is carried out all the same, as if only its response were lost."""

    def __post_init__(self) -> None:
        """Check what would never happen."""
        if not has_operation(self.service, self.operation):
            raise ValueError(f"The embedded AWS knows no operation {self.operation} of a service {self.service}.")
        if not 400 <= self.status < 600 or self.skip < 0 or self.times < 1:
            raise ValueError("A fault has a status from 400 to 599, a skip of 0 or more, and happens at least once.")


class InjectedError(Exception):
    """A request meets a fault."""

    def __init__(self, fault: RequestFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Faults:
    """The faults that are still to happen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._injected: list[_Injected] = []

    def inject(self, fault: RequestFault) -> None:
        """Let requests fail from now on; if several faults fit a request, it meets the one injected first."""
        with self._lock:
            self._injected.append(_Injected(fault, fault.skip, fault.times))

    def clear(self) -> None:
        """Let every request succeed again."""
        with self._lock:
            self._injected.clear()

    @property
    def remaining(self) -> int:
        """How many requests are still to fail."""
        with self._lock:
            return sum(one.left for one in self._injected)

    def take(self, request: AwsRequest) -> RequestFault | None:
        """Return the fault that a request meets, which has then happened once more."""
        if not self._injected:
            return None
        operation = _operation(request)
        with self._lock:
            for one in self._injected:
                if (one.fault.service, one.fault.operation) == (request.service, operation):
                    if one.skip:
                        one.skip -= 1
                        continue
                    one.left -= 1
                    if not one.left:
                        self._injected.remove(one)
                    return one.fault
        return None


@dataclass(eq=False)
class _Injected:
    fault: RequestFault
    skip: int
    left: int


def _operation(request: AwsRequest) -> str | None:
    if request.operation is not None:
        return request.operation
    try:
        return route(request)[0]
    except UnsupportedOperationError:
        return None
