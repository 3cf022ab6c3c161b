"""How a service sends to a queue, a topic or a function: as a role, or as the service itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError
from moto.awslambda.models import LambdaFunction

from embedded_aws.iam.authorization import AccessDeniedError
from embedded_aws.runtime.role_sessions import RoleSessions
from embedded_aws.server.server import AwsServer
from embedded_aws.services.lambda_.functions import Functions


class DeliveryError(Exception):
    """A target does not exist or refused a message."""

    def __init__(self, message: str, *, code: str, permanent: bool) -> None:
        super().__init__(message)
        self.code = code
        """AWS's error code, as dead letters carry it."""
        self.permanent = permanent
        """Whether a retry cannot help."""


class Sender(Protocol):
    """Sends messages to the targets that ARNs name."""

    def send(self, arn: str, text: str, attributes: Mapping[str, str] | None = None) -> None:
        """Send a message.

        Args:
            arn: of a queue, a topic or a function.
            text: the message, or the input of the function.
            attributes: attributes of a queue's or topic's message.

        Raises:
            DeliveryError: the target does not exist or refused the message.
        """


@dataclass(frozen=True)
class ServiceRole:
    """A role and the service that assumes it."""

    arn: str
    service: str
    source_arn: str
    """`aws:SourceArn` for conditions of the trust policy."""


class RoleSender:
    """Sends with the permissions of a role, through the API."""

    def __init__(self, server: AwsServer, sessions: RoleSessions, role: ServiceRole) -> None:
        self._server = server
        self._sessions = sessions
        self._role = role

    def call(self, service: str, operation: str, parameters: Mapping[str, Any]) -> None:
        """Call any operation of any service.

        Args:
            service: its name in boto3.
            operation: its name in boto3, such as `start_crawler`.
            parameters: parameters by their names in the API.

        Raises:
            DeliveryError: the call failed.
        """
        try:
            role = self._role
            session = role.service.partition(".")[0]
            credentials = self._sessions.credentials(role.arn, role.service, session, role.source_arn)
            getattr(self._server.client(service, credentials), operation)(**parameters)
        except AccessDeniedError as error:
            raise DeliveryError(str(error), code="AccessDenied", permanent=False) from error
        except ClientError as error:
            raise DeliveryError(str(error), code=error.response["Error"]["Code"], permanent=False) from error

    def send(self, arn: str, text: str, attributes: Mapping[str, str] | None = None) -> None:
        """Send by SQS SendMessage, SNS Publish or Lambda Invoke."""
        service = arn.split(":")[2]
        if service == "lambda":
            self.call("lambda", "invoke", {"FunctionName": arn, "InvocationType": "Event", "Payload": text})
        elif service == "sqs":
            message = {"QueueUrl": queue_url(self._server, arn), "MessageBody": text, **_attributes(attributes)}
            self.call("sqs", "send_message", message)
        elif service == "sns":
            self.call("sns", "publish", {"TopicArn": arn, "Message": text, **_attributes(attributes)})
        else:
            raise _unsupported(arn)


class ServiceSender:
    """Sends as an AWS service, with the permissions that the target's policy grants to it."""

    def __init__(
        self,
        server: AwsServer,
        functions: Functions,
        invoke_later: Callable[[LambdaFunction, str], None],
        *,
        service: str,
        source_arn: str,
    ) -> None:
        self._server = server
        self._functions = functions
        self._invoke_later = invoke_later
        self._service = service
        self._context = {"aws:SourceArn": source_arn, "aws:SourceAccount": server.account_id}

    def send(self, arn: str, text: str, attributes: Mapping[str, str] | None = None) -> None:
        """Send if the policy of the queue, topic or function allows it."""
        service = arn.split(":")[2]
        if service == "lambda":
            self._check("lambda:InvokeFunction", arn)
            function = self._functions.find(arn)
            if function is None:
                raise _missing(arn)
            self._invoke_later(function, text)
        elif service == "sqs":
            self._check("sqs:SendMessage", arn)
            queue_url(self._server, arn)
            # Without HTTP: a service may send while it handles a request, and a round trip costs more than the rest.
            sqs, sent = self._server.backend("sqs"), _attributes(attributes).get("MessageAttributes")
            sqs.send_message(arn.rsplit(":", 1)[1], text, message_attributes=sent)
        elif service == "sns":
            self._check("sns:Publish", arn)
            self._server.client("sns").publish(TopicArn=arn, Message=text, **_attributes(attributes))
        else:
            raise _unsupported(arn)

    def _check(self, action: str, arn: str) -> None:
        try:
            self._server.authorization.check_service(self._service, action, arn, self._context)
        except AccessDeniedError as error:
            raise DeliveryError(str(error), code="NO_PERMISSIONS", permanent=True) from error


def queue_url(server: AwsServer, arn: str) -> str:
    """Return the URL of a queue.

    Raises:
        DeliveryError: there is no such queue.
    """
    name = arn.rsplit(":", 1)[1]
    if name not in server.backend("sqs").queues:
        raise _missing(arn)
    return f"{server.url}/{server.account_id}/{name}"


def _attributes(attributes: Mapping[str, str] | None) -> dict[str, Any]:
    if not attributes:
        return {}
    return {
        "MessageAttributes": {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
    }


def _missing(arn: str) -> DeliveryError:
    return DeliveryError(f"The target {arn} does not exist.", code="RESOURCE_NOT_FOUND", permanent=True)


def _unsupported(arn: str) -> DeliveryError:
    return DeliveryError(
        f"The embedded AWS does not support the target {arn}: use a queue, a topic or a function.",
        code="UNSUPPORTED",
        permanent=True,
    )
