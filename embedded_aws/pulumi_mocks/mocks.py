"""Pulumi mocks that create the resources of a program in the embedded AWS through boto3."""

from __future__ import annotations

from typing import Any

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime import rpc

from embedded_aws.pulumi_mocks import (
    athena,
    budgets,
    cloudwatch,
    events,
    glue,
    iam,
    invokes,
    lambda_,
    logs,
    s3,
    scheduler,
    secretsmanager,
    sns,
    sqs,
)
from embedded_aws.pulumi_mocks.arguments import Arguments
from embedded_aws.pulumi_mocks.resource import AwsAccount, Create, Resource, ResourceError

MODULES = (athena, budgets, cloudwatch, events, glue, iam, lambda_, logs, s3, scheduler, secretsmanager, sns, sqs)

RESOURCES: dict[str, Create] = {token: create for module in MODULES for token, create in module.RESOURCES.items()}
"""Pulumi type → function that creates such a resource."""

NOT_APPLIED: dict[str, dict[str, str]] = {
    token: reasons for module in MODULES for token, reasons in module.NOT_APPLIED.items()
}
"""Pulumi type → ignored argument → why it may be ignored."""


class UnsupportedResourceError(Exception):
    """A program declares something that cannot be created as declared; the message names it."""


class AwsMocks(pulumi.runtime.Mocks):
    """Creates each resource; a component is only registered.

    Args:
        project: name of the project.
        stack: name of the stack.
    """

    def __init__(self, project: str, stack: str) -> None:
        self._account = AwsAccount(f"{project}/{stack}")

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """Return the result of a function of the provider."""
        if args.token not in invokes.INVOKES:
            raise UnsupportedResourceError(f"The function {args.token} is not supported by the embedded AWS.")
        return invokes.INVOKES[args.token](self._account)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Create a resource and return its id and outputs."""
        inputs = {key: revealed(value) for key, value in args.inputs.items()}
        if not args.custom and not args.resource_id:
            return "", inputs
        about = f"{args.typ} {args.name}"
        if args.resource_id:
            raise UnsupportedResourceError(f"{about}: importing or reading an existing resource is not supported.")
        if args.typ not in RESOURCES:
            raise UnsupportedResourceError(f"{about}: the type is not supported by the embedded AWS.")
        arguments = Arguments(inputs)
        if arguments.take("region", self._account.region) != self._account.region:
            raise UnsupportedResourceError(
                f"{about}: it is not in the region of the embedded AWS, {self._account.region}."
            )
        for ignored in NOT_APPLIED.get(args.typ, {}):
            arguments.take(ignored)
        try:
            identity, outputs = RESOURCES[args.typ](
                Resource(token=args.typ, name=args.name, arguments=arguments, account=self._account)
            )
        except (ClientError, BotoCoreError, ResourceError) as failed:
            raise UnsupportedResourceError(
                f"{about} cannot be created: {' '.join(str(failed).split()).rstrip('.')}."
            ) from failed
        if left_over := list(arguments.left_over()):
            raise UnsupportedResourceError(
                f"{about}: the embedded AWS does not support {', '.join(left_over)}, so the resource would differ from"
                " its declaration."
            )
        tags = {"tagsAll": inputs["tags"]} if "tags" in inputs else {}
        return identity, {**inputs, "region": self._account.region, **tags, **outputs}


def revealed(value: Any) -> Any:
    """Return a value with secrets unwrapped on every level."""
    if rpc.is_rpc_secret(value):
        return revealed(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revealed(item) for item in value]
    return value
