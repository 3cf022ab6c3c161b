"""What botocore's service models, as moto extends them, say of protocols, routes and parameters."""

from __future__ import annotations

import functools
from typing import Any

from botocore.model import OperationNotFoundError
from moto.core.model import ServiceModel
from moto.core.routing import RestRouter
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from embedded_aws.iam.operation import UnsupportedOperationError
from embedded_aws.server.requests import AwsRequest, Protocol

_SERVICES = "athena events glue iam kms lakeformation lambda logs monitoring s3 scheduler secretsmanager sns sqs sts"
"""Signing names of the services that callers other than the account's owner may use."""

_MODELS = dict.fromkeys(_SERVICES.split()) | {"monitoring": "cloudwatch"}
"""Signing name → name of the model; None where they are the same."""


def protocols(service: str) -> tuple[Protocol, ...]:
    """Return the protocols that a service's clients speak; none for an unsupported service.

    Args:
        service: its signing name.
    """
    return tuple(_model(service).metadata["protocols"]) if service in _MODELS else ()


def route(request: AwsRequest) -> tuple[str, dict[str, Any]]:
    """Return the operation of a REST request and the parameters in its path, as moto's router determines them.

    Raises:
        UnsupportedOperationError: no operation matches.
    """
    try:
        operation, parameters = _router(request.service or "s3").match(request)  # type: ignore[arg-type] # has all that is read
    except NotFound:
        raise UnsupportedOperationError(f"{request.method} {request.path}") from None
    return operation.name, parameters


def has_operation(service: str, operation: str) -> bool:
    """Return whether a service that callers other than the owner may use has an operation.

    Args:
        service: its signing name.
        operation: e.g. "GetTable".
    """
    return service in _MODELS and operation in _model(service).operation_names


@functools.cache
def inputs(service: str, operation: str) -> frozenset[str]:
    """Return the names of an operation's parameters; of a REST operation those in the query.

    Args:
        service: its signing name.
        operation: e.g. "GetTable"; one that does not exist has no parameters.
    """
    try:
        model = _model(service).operation_model(operation)
    except OperationNotFoundError:
        return frozenset()
    members = model.input_shape.members if model.input_shape else {}
    if not protocols(service)[0].startswith("rest-"):
        return frozenset(members)
    in_query = (member for member in members.values() if member.serialization.get("location") == "querystring")
    return frozenset(model.http_trait.query_args) | {member.serialization["name"] for member in in_query}


def _model(service: str) -> ServiceModel:
    return get_service_model(_MODELS[service] or service)


@functools.cache
def _router(service: str) -> RestRouter:
    return RestRouter(_model(service))
