"""Lambda's asynchronous invocations: queueing, retries, destinations and dead-letter queues.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from moto.awslambda.models import LambdaFunction

from embedded_aws.clock import SimulatedClock
from embedded_aws.runtime.role_sessions import RoleSessions
from embedded_aws.runtime.step_log import StepKind, StepLog
from embedded_aws.runtime.targets import DeliveryError, RoleSender, ServiceRole
from embedded_aws.runtime.timers import Timers
from embedded_aws.server.server import AwsServer
from embedded_aws.services.lambda_.functions import Functions, InvocationResult

_WAITS = (timedelta(minutes=1), timedelta(minutes=2))
"""Waits after the first and the second failure."""

_HANDLER = "asynchronous invocation"

_RETRIES = 2
_MAX_AGE_SECONDS = 21600


@dataclass(frozen=True)
class _Invocation:
    function: str
    event: str
    request_id: str
    accepted: datetime
    tries: int = 0


class AsynchronousInvocations:
    """Queues events for functions and invokes them until they succeed or retries are exhausted."""

    def __init__(
        self,
        server: AwsServer,
        clock: SimulatedClock,
        steps: StepLog,
        timers: Timers,
        sessions: RoleSessions,
        functions: Functions,
    ) -> None:
        self._server = server
        self._sessions = sessions
        self._clock = clock
        self._steps = steps
        self._timers = timers
        self._functions = functions
        timers.register(_HANDLER, self._attempt)

    def accept(self, function: LambdaFunction, event: str) -> None:
        """Queue an event, as JSON, for a function."""
        now = self._clock.now
        self._queue(_Invocation(function.function_name, event, self._functions.new_request_id(), now), now)

    def _queue(self, invocation: _Invocation, due: datetime) -> None:
        self._timers.call_at(due, _HANDLER, invocation)

    def _attempt(self, invocation: _Invocation) -> None:
        function = self._functions.find(invocation.function)
        if function is None:
            self._steps.record("invoke", invocation.function, "The function no longer exists.", ok=False)
            return
        result = self._functions.invoke(function, invocation.event, invocation.request_id)
        invocation = replace(invocation, tries=invocation.tries + 1)
        settings = _settings(function)
        if not result.failed:
            self._send_on(function, invocation, result, "OnSuccess", "Success")
            return
        retry_at = self._clock.now + _WAITS[min(invocation.tries, len(_WAITS)) - 1]
        oldest = retry_at - timedelta(seconds=settings.get("MaximumEventAgeInSeconds", _MAX_AGE_SECONDS))
        if invocation.tries > settings.get("MaximumRetryAttempts", _RETRIES):
            self._send_on(function, invocation, result, "OnFailure", "RetriesExhausted")
        elif invocation.accepted < oldest:
            self._send_on(function, invocation, result, "OnFailure", "EventAgeExceeded")
        else:
            self._queue(invocation, retry_at)

    def _send_on(
        self,
        function: LambdaFunction,
        invocation: _Invocation,
        result: InvocationResult,
        case: str,
        condition: str,
    ) -> None:
        """Send a record of the outcome to its destination, and a failed event to the dead-letter queue."""
        role = ServiceRole(function.role, "lambda.amazonaws.com", function.function_arn)
        sender = RoleSender(self._server, self._sessions, role)
        destination = _settings(function).get("DestinationConfig", {}).get(case, {}).get("Destination")
        if destination:
            self._send(sender, destination, self._record(function, invocation, result, condition), {}, case)
        dead_letters = self._server.extras.function(function.function_arn).get("DeadLetterConfig", {}).get("TargetArn")
        if dead_letters and case == "OnFailure":
            attributes = {
                "RequestID": invocation.request_id,
                "ErrorCode": "200",
                "ErrorMessage": result.error[:1024],
            }
            self._send(sender, dead_letters, invocation.event, attributes, case)

    def _send(self, sender: RoleSender, arn: str, text: str, attributes: dict[str, str], case: str) -> None:
        name = arn.rsplit(":", 1)[1]
        kind: StepKind = "dead_letter" if case == "OnFailure" else "invoke"
        try:
            sender.send(arn, text, attributes)
        except DeliveryError as error:
            self._steps.record(kind, name, str(error), ok=False)
        else:
            self._steps.record(kind, name, f"{case} of an asynchronous invocation")

    def _record(
        self, function: LambdaFunction, invocation: _Invocation, result: InvocationResult, condition: str
    ) -> str:
        """Return the record that a destination receives."""
        response: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if result.failed:
            response["functionError"] = "Unhandled"
        record = {
            "version": "1.0",
            "timestamp": f"{self._clock.now:%Y-%m-%dT%H:%M:%S}.{self._clock.now.microsecond // 1000:03d}Z",
            "requestContext": {
                "requestId": invocation.request_id,
                "functionArn": f"{function.function_arn}:$LATEST",
                "condition": condition,
                "approximateInvokeCount": invocation.tries,
            },
            "requestPayload": json.loads(invocation.event),
            "responseContext": response,
            "responsePayload": json.loads(result.payload),
        }
        return json.dumps(record)


def _settings(function: LambdaFunction) -> dict[str, Any]:
    """Return the function's latest settings for asynchronous invocations."""
    configs = function.event_invoke_config
    return dict(configs[-1].config) if configs else {}
