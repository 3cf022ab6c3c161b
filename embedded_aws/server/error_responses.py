"""Error responses in the format of each service, so that clients raise the same errors as in AWS."""

from __future__ import annotations

import http
import json
from xml.sax.saxutils import escape

from embedded_aws.server.errors import Code, RejectedRequestError
from embedded_aws.server.faults import RequestFault
from embedded_aws.server.requests import AwsRequest

ErrorResponse = tuple[str, dict[str, str], bytes]
"""Status line, headers, body."""

REQUEST_ID = "00000000-0000-0000-0000-000000000000"


def access_denied(request: AwsRequest, message: str) -> ErrorResponse:
    """Return the response to a request that is not allowed."""
    if request.service == "sqs":
        return _json(request, "AccessDenied", message, "403 Forbidden")
    return _response(request, ("AccessDenied", 403), ("AccessDenied", 403), "AccessDeniedException", message)


def unknown_access_key(request: AwsRequest) -> ErrorResponse:
    """Return the response to an unknown access key."""
    if request.protocol == "rest-xml":
        message = "The AWS Access Key Id you provided does not exist in our records."
    else:
        message = "The security token included in the request is invalid."
    s3, query = ("InvalidAccessKeyId", 403), ("InvalidClientTokenId", 403)
    return _response(request, s3, query, "UnrecognizedClientException", message)


def rejected(request: AwsRequest, error: RejectedRequestError) -> ErrorResponse:
    """Return the response to a malformed or wrongly signed request."""
    return _response(request, error.s3, error.query, error.json, str(error))


def unavailable(request: AwsRequest, message: str) -> ErrorResponse:
    """Return the response to a request whose effect cannot be saved."""
    code = ("ServiceUnavailable", 503)
    return _response(request, code, code, "ServiceUnavailableException", message, json_status=503)


def injected(request: AwsRequest, fault: RequestFault) -> ErrorResponse:
    """Return the response to a request that meets a fault."""
    code = (fault.code, fault.status)
    return _response(request, code, code, fault.code, fault.message, json_status=fault.status)


def _response(
    request: AwsRequest, s3: Code, query: Code, json_code: str, message: str, *, json_status: int | None = None
) -> ErrorResponse:
    if request.protocol == "rest-xml":
        return _s3_error(request, s3, message)
    if request.protocol == "query":
        code, status = query
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>"
            f"</Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        )
        return _status_line(status), {"Content-Type": "text/xml"}, body.encode()
    if request.protocol == "smithy-rpc-v2-cbor":
        return _cbor(json_code, message)
    status = json_status or (403 if request.protocol == "rest-json" else 400)
    return _json(request, json_code, message, _status_line(status))


def _status_line(status: int) -> str:
    return f"{status} {http.HTTPStatus(status).phrase}"


def _s3_error(request: AwsRequest, error: Code, message: str) -> ErrorResponse:
    code, status = error
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{escape(message)}</Message><RequestId>{REQUEST_ID}</RequestId></Error>"
    )
    # A response to HEAD has no body: clients see only the status.
    return _status_line(status), {"Content-Type": "application/xml"}, b"" if request.method == "HEAD" else body.encode()


def _json(request: AwsRequest, code: str, message: str, status: str) -> ErrorResponse:
    headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
    if request.service == "sqs":
        headers["x-amzn-query-error"] = f"{code};Sender"
    return status, headers, json.dumps({"__type": code, "message": message, "Message": message}).encode()


def _cbor(code: str, message: str) -> ErrorResponse:
    """Return an error as a CBOR map of two strings: https://www.rfc-editor.org/rfc/rfc8949#section-3.1."""

    def text(value: str) -> bytes:
        encoded = value.encode()
        return b"\x79" + len(encoded).to_bytes(2, "big") + encoded

    body = b"\xa2" + text("__type") + text(code) + text("message") + text(message)
    headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
    return "403 Forbidden", headers, body
