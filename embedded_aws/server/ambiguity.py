"""Rejection of ambiguous requests: authorization must decide about exactly what moto will do.

moto takes an operation's name and parameters from wherever it finds them: a form, the query, headers. A caller with
limited permissions could name one thing where authorization looks and another where moto does. Whatever AWS's own
clients never send, because their protocol has no place for it, is therefore rejected.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from embedded_aws.iam.operation import UnsupportedOperationError
from embedded_aws.server.requests import AwsRequest
from embedded_aws.server.service_models import inputs, protocols
from embedded_aws.server.signatures import AUTHENTICATION_PARAMETERS

FORM = "application/x-www-form-urlencoded"

# moto serves these paths for services other than the one that a request is signed for.
_OTHER_SERVICES_PATHS = re.compile(r"/(moto-api.*|favicon\.ico|latest/(meta-data|api)/.*|v20180820/.*)", re.DOTALL)
_QUEUE_PATH = re.compile(r"/\d{12}/[\w-]+(\.fifo)?", re.ASCII)
_FORM_KEYS = frozenset({"Action", "Version"})

# What SDKs add to the query of any S3 request, mostly in presigned URLs; not in the service model.
_ADDED_TO_S3 = frozenset({"X-Amz-Content-Sha256", "X-Amz-User-Agent", "x-amz-checksum-mode", "x-id"})


def check_request(request: AwsRequest) -> None:
    """Reject an ambiguous request, whatever its operation.

    Raises:
        UnsupportedOperationError: the request is ambiguous; the message says why.
    """
    if _OTHER_SERVICES_PATHS.fullmatch(request.path):
        raise UnsupportedOperationError("of moto's own address")
    service = request.service or "s3"
    if request.protocol not in protocols(service):
        raise UnsupportedOperationError(f"{service} in the protocol {request.protocol}")
    parameters = _own_parameters(request)
    duplicates = [name for name, count in Counter(parameters).items() if count > 1]
    if duplicates:
        raise UnsupportedOperationError(f"with the parameter {duplicates[0]} twice")
    if "+" in request.query_string:
        raise UnsupportedOperationError("with a + in the query (encode a space as %20 and a plus sign as %2B)")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.protocol != "query" and (kind == FORM or kind.startswith("multipart/")):
        raise UnsupportedOperationError(f"with the content type {kind}")
    if request.protocol.startswith("rest-") and "x-amz-target" in request.headers:
        # moto would prefer it to the method and path.
        raise UnsupportedOperationError("with the header X-Amz-Target")
    if service != "s3":
        _check_non_s3(request, parameters, kind)


def check_parameters(request: AwsRequest, name: str) -> None:
    """Reject parameters that the operation does not have.

    Raises:
        UnsupportedOperationError: there are some.
    """
    known = inputs(request.service or "s3", name)
    if request.protocol.startswith("rest-"):
        unknown = set(_own_parameters(request)) - known
        if request.protocol == "rest-xml":
            unknown -= _ADDED_TO_S3
    else:
        given = {parameter.partition(".")[0] for parameter in _without_authentication(request.parameters)}
        unknown = given - known
        if request.protocol == "query":
            # List elements have names such as "Tag.member.1" instead of their parameter's: names with a dot pass.
            unknown = {parameter for parameter in unknown if parameter in request.parameters} - _FORM_KEYS
    if unknown:
        raise UnsupportedOperationError(f"{name} with the parameter {min(unknown)}")


def _check_non_s3(request: AwsRequest, parameters: list[str], kind: str) -> None:
    # moto looks for a region there.
    if "amazonaws.com" in f"{request.path}?{request.query_string}":
        raise UnsupportedOperationError("with a host of AWS in its address")
    if request.protocol in {"json", "smithy-rpc-v2-cbor"} and parameters:
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
    """Return the names of the query parameters other than those of a presigned URL."""
    return list(_without_authentication(name for name, _ in request.query_pairs))


def _without_authentication(names: Iterable[str]) -> Iterable[str]:
    return (name for name in names if name not in AUTHENTICATION_PARAMETERS)
