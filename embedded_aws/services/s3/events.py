"""S3 event notifications: sent only if the policy of the queue, topic or function allows S3 to.

moto sends to any destination and swallows errors; here a denial is recorded, and a notification configuration with a
destination that denies S3 is rejected, as in AWS. What a message says is in `event_messages.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket

from embedded_aws.iam.authorization import AccessDeniedError, Authorization
from embedded_aws.server.requests import SENDER
from embedded_aws.services.s3.event_messages import event_message

ACTIONS = {"lambda": "lambda:InvokeFunction", "sns": "sns:Publish", "sqs": "sqs:SendMessage"}

DESTINATIONS = {
    "TopicConfiguration": "Topic",
    "QueueConfiguration": "Queue",
    "CloudFunctionConfiguration": "CloudFunction",
}
"""Element of a notification configuration → the key of the destination's ARN."""


@contextmanager
def checked_s3_events(authorization: Authorization) -> Iterator[None]:
    """Check permissions for S3's notifications within the context, and complete their messages."""
    set_configuration = FakeBucket.set_notification_configuration

    def set_checked(bucket: Any, configuration: dict[str, Any] | None) -> None:
        for destination in _destinations(configuration or {}):
            if not _may_deliver(authorization, bucket.name, bucket.account_id, destination):
                raise S3ClientError("InvalidArgument", "Unable to validate the following destination configurations")
        set_configuration(bucket, configuration)

    def message(event_name: str, bucket: Any, key: Any, notification_id: str) -> Any:
        caller = f"AWS:{authorization.user_id(SENDER.get(''))}"
        return event_message(event_name, bucket, key, notification_id, principal_id=caller)

    with ExitStack() as patches:
        patches.enter_context(patch.object(notifications, "_get_s3_event", message))
        for name, service in (
            ("_send_sqs_message", "sqs"),
            ("_send_sns_message", "sns"),
            ("_invoke_awslambda", "lambda"),
        ):
            deliver = _checked(authorization, getattr(notifications, name), service)
            patches.enter_context(patch.object(notifications, name, deliver))
        patches.enter_context(patch.object(FakeBucket, "set_notification_configuration", set_checked))
        yield


def _checked(authorization: Authorization, deliver: Callable[..., None], service: str) -> Callable[..., None]:
    def send(account_id: str, event_body: Any, destination: str, region_name: str) -> None:
        # moto names a queue by its name, the others by their ARN.
        arn = (
            destination
            if destination.startswith("arn:")
            else f"arn:aws:{service}:{region_name}:{account_id}:{destination}"
        )
        if _may_deliver(authorization, _bucket_name(event_body), account_id, arn):
            deliver(account_id, event_body, destination, region_name)

    return send


def _may_deliver(authorization: Authorization, bucket_name: str, account_id: str, destination: str) -> bool:
    context = {"aws:SourceArn": f"arn:aws:s3:::{bucket_name}", "aws:SourceAccount": account_id}
    action = ACTIONS[destination.split(":")[2]]
    try:
        authorization.check_service("s3.amazonaws.com", action, destination, context)
    except AccessDeniedError:
        return False
    return True


def _bucket_name(event_body: dict[str, Any]) -> str:
    if "Records" in event_body:
        return str(event_body["Records"][0]["s3"]["bucket"]["name"])
    return str(event_body["Bucket"])  # the test event


def _destinations(configuration: dict[str, Any]) -> Iterator[str]:
    for part, name in DESTINATIONS.items():
        yield from (each[name] for each in configuration.get(part) or ())
