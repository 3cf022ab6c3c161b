"""One reading of a request: what authorization asks about has to be what moto does.

moto takes an operation's name and parameters from wherever it finds them: a form, the query, headers. A caller who may
not do everything could name one thing where authorization looks and another where moto does. What AWS's own clients
never send, because their protocol has no place for it, is therefore refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from embedded_aws.iam.operation import UnsupportedOperationError
from embedded_aws.server.service_models import inputs, query_inputs
from embedded_aws.server.signatures import AUTHENTICATION_PARAMETERS

if TYPE_CHECKING:
    from embedded_aws.server.requests import AwsRequest

PROTOCOLS: dict[str, tuple[str, ...]] = {
    "athena": ("json",),
    "events": ("json",),
    "glue": ("json",),
    "iam": ("query",),
    "kms": ("json",),
    "lambda": ("rest-json",),
    "logs": ("json",),
    "monitoring": ("cbor", "json", "query"),
    "s3": ("rest-xml",),
    "scheduler": ("rest-json",),
    "secretsmanager": ("json",),
    "sns": ("query",),
    "sqs": ("json", "query"),
    "sts": ("query",),
}
"""Signing name → the protocols that its clients speak."""

FORM = "application/x-www-form-urlencoded"

# moto takes these paths for other services' than the one that a request is signed for.
_OTHER_SERVICES_PATHS = re.compile(r"/(moto-api.*|favicon\.ico|latest/(meta-data|api)/.*|v20180820/.*)", re.DOTALL)
_QUEUE_PATH = re.compile(r"/\d{12}/[\w-]+(\.fifo)?", re.ASCII)
_FORM_KEYS = frozenset({"Action", "Version"})


def check_request(request: AwsRequest) -> None:
    """Refuse a request that can be read in two ways, whatever its operation.

    Raises:
        UnsupportedOperationError: it can; the message says how.
    """
    if _OTHER_SERVICES_PATHS.fullmatch(request.path):
        raise UnsupportedOperationError("of moto's own address")
    service = request.service or "s3"
    if service not in PROTOCOLS or request.protocol not in PROTOCOLS[service]:
        raise UnsupportedOperationError(f"{service} in the protocol {request.protocol}")
    parameters = _own_parameters(request)
    twice = [name for name, count in Counter(parameters).items() if count > 1]
    if twice:
        raise UnsupportedOperationError(f"with the parameter {twice[0]} twice")
    if "+" in request.query_string:
        raise UnsupportedOperationError("with a + in the query (encode a space as %20 and a plus sign as %2B)")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.protocol != "query" and (kind == FORM or kind.startswith("multipart/")):
        raise UnsupportedOperationError(f"with the content type {kind}")
    if service != "s3":
        _check_non_s3(request, parameters, kind)


def check_parameters(request: AwsRequest, name: str) -> None:
    """Refuse parameters that an operation does not have.

    Raises:
        UnsupportedOperationError: there are some.
    """
    if request.protocol == "rest-json":
        unknown = set(_own_parameters(request)) - query_inputs(request.service, name)
    else:
        given = {parameter.partition(".")[0] for parameter in _without_authentication(request.parameters)}
        unknown = given - inputs(request.service, name)
        if request.protocol == "query":
            # A list's elements are named after the list's elements: what has a dot is not looked at here.
            unknown = {parameter for parameter in unknown if parameter in request.parameters} - _FORM_KEYS
    if unknown:
        raise UnsupportedOperationError(f"{name} with the parameter {min(unknown)}")


def _check_non_s3(request: AwsRequest, parameters: list[str], kind: str) -> None:
    # moto looks for a region there.
    if "amazonaws.com" in f"{request.path}?{request.query_string}":
        raise UnsupportedOperationError("with a host of AWS in its address")
    if request.protocol in {"json", "cbor"} and parameters:
        raise UnsupportedOperationError(f"with the parameter {parameters[0]} in the query")
    if request.protocol == "json" and request.path != "/":
        raise UnsupportedOperationError(f"at the path {request.path}")
    if request.protocol == "query":
        if request.body and (kind != FORM or parameters):
            raise UnsupportedOperationError("with parameters in the query and in the body")
        by_queue = request.service == "sqs" and "QueueUrl" in request.parameters and _QUEUE_PATH.fullmatch(request.path)
        if request.path != "/" and not by_queue:
            raise UnsupportedOperationError(f"at the path {request.path}")
        form = [part.partition("=")[0] for part in request.body.decode("utf-8", "replace").split("&")]
        if len(set(form)) < len(form):
            raise UnsupportedOperationError("with a parameter twice")


def _own_parameters(request: AwsRequest) -> list[str]:
    """Return the names of the query's parameters but those of a presigned address."""
    return list(_without_authentication(name for name, _ in request.query_pairs))


def _without_authentication(names: Iterable[str] | Mapping[str, Any]) -> Iterable[str]:
    return (name for name in names if name not in AUTHENTICATION_PARAMETERS)
