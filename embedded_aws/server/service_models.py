"""What botocore's descriptions of services say of an operation's input."""

from __future__ import annotations

import functools

from botocore.model import OperationModel, OperationNotFoundError

from embedded_aws.server.plain_session import plain_session

_NAMES = {"monitoring": "cloudwatch"}
"""Signing name → botocore's name, where they differ."""


@functools.cache
def inputs(service: str, operation: str) -> frozenset[str]:
    """Return the names of an operation's parameters; none for an operation that does not exist.

    Args:
        service: its signing name.
        operation: e.g. "GetTable".
    """
    model = _operation(service, operation)
    return frozenset(model.input_shape.members) if model and model.input_shape else frozenset()


@functools.cache
def query_inputs(service: str, operation: str) -> frozenset[str]:
    """Return the names that an operation of a REST service takes in its query."""
    model = _operation(service, operation)
    if model is None or model.input_shape is None:
        return frozenset()
    members = model.input_shape.members.values()
    return frozenset(
        member.serialization["name"] for member in members if member.serialization.get("location") == "querystring"
    )


def _operation(service: str, operation: str) -> OperationModel | None:
    model = plain_session()._session.get_service_model(_NAMES.get(service, service))  # noqa: SLF001 - boto3 keeps it private
    try:
        return model.operation_model(operation)
    except OperationNotFoundError:
        return None
