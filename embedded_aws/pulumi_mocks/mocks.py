"""Pulumi's mocks: what a program asks for is created in the embedded AWS through boto3."""

from __future__ import annotations

from typing import Any

import pulumi
from botocore.exceptions import BotoCoreError, ClientError
from pulumi.runtime import rpc

from embedded_aws.pulumi_mocks import (
    athena,
    events,
    glue,
    iam,
    invokes,
    lambda_,
    logs,
    s3,
    scheduler,
    secretsmanager,
    sqs,
)
from embedded_aws.pulumi_mocks.arguments import Arguments
from embedded_aws.pulumi_mocks.resource import Cloud, Create, Resource, ResourceError

MODULES = (athena, events, glue, iam, lambda_, logs, s3, scheduler, secretsmanager, sqs)

RESOURCES: dict[str, Create] = {token: create for module in MODULES for token, create in module.RESOURCES.items()}
"""Pulumi's type → what creates it."""

NOT_APPLIED: dict[str, dict[str, str]] = {
    token: reasons for module in MODULES for token, reasons in module.NOT_APPLIED.items()
}
"""Pulumi's type → argument that is not applied → why nothing is lost by that."""


class UnsupportedResourceError(Exception):
    """A program asks for something that the embedded cloud cannot create as asked; the message names it."""


class CloudMocks(pulumi.runtime.Mocks):
    """Creates each resource; components are only taken note of.

    Args:
        project: the project's name.
        stack: the stack's name.
    """

    def __init__(self, project: str, stack: str) -> None:
        self._cloud = Cloud(f"{project}/{stack}")

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """Answer a function of the provider."""
        if args.token not in invokes.INVOKES:
            raise UnsupportedResourceError(f"The function {args.token} is not modelled by the embedded cloud.")
        return invokes.INVOKES[args.token](self._cloud)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        """Create a resource and return its id and outputs."""
        inputs = {key: revealed(value) for key, value in args.inputs.items()}
        if not args.custom and not args.resource_id:
            return "", inputs
        about = f"{args.typ} {args.name}"
        if args.resource_id:
            raise UnsupportedResourceError(f"{about}: importing or reading what exists already is not modelled.")
        if args.typ not in RESOURCES:
            raise UnsupportedResourceError(f"{about}: the type is not modelled by the embedded cloud.")
        arguments = Arguments(inputs)
        if arguments.take("region", self._cloud.region) != self._cloud.region:
            raise UnsupportedResourceError(
                f"{about}: it is in another region than the embedded cloud, {self._cloud.region}."
            )
        for ignored in NOT_APPLIED.get(args.typ, {}):
            arguments.take(ignored)
        try:
            identity, outputs = RESOURCES[args.typ](Resource(args.typ, args.name, arguments, self._cloud))
        except (ClientError, BotoCoreError, ResourceError) as failed:
            raise UnsupportedResourceError(
                f"{about} cannot be created: {' '.join(str(failed).split()).rstrip('.')}."
            ) from failed
        if left_over := list(arguments.left_over()):
            raise UnsupportedResourceError(
                f"{about}: the embedded cloud does not model {', '.join(left_over)}, so the resource would differ from"
                " what the program asks for."
            )
        tags = {"tagsAll": inputs["tags"]} if "tags" in inputs else {}
        return identity, {**inputs, "region": self._cloud.region, **tags, **outputs}


def revealed(value: Any) -> Any:
    """Return a value without the mark of a secret, on every level."""
    if rpc.is_rpc_secret(value):
        return revealed(rpc.unwrap_rpc_secret(value))
    if isinstance(value, dict):
        return {key: revealed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [revealed(item) for item in value]
    return value
