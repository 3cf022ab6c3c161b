"""Requests as bytes on a connection: signed by botocore where asked, and sent exactly as they are written here."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from embedded_aws.iam.credentials import AwsCredentials

REGION = "eu-central-1"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


def send(url: str, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
    """Send one request; `Host` is the server's own unless the headers name another."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    given = {"Host": address.netloc, **(headers or {})}
    if body:
        given.setdefault("Content-Length", str(len(body)))
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def send_raw(url: str, content: bytes) -> bytes:
    """Send bytes and return what comes back until the server has nothing to add."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=60) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def signed(
    url: str,
    credentials: AwsCredentials,
    method: str,
    target: str,
    *,
    service: str = "s3",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    region: str = REGION,
) -> dict[str, str]:
    """Return the headers of a request with a signature that is good for this very target.

    Args:
        url: the server's.
        credentials: whose signature.
        method: the method.
        target: path and query as they will be sent; of an absolute address its path and query.
        service: signing name.
        headers: signed as well, `Host` too.
        body: signed as well.
        region: of the scope.
    """
    address = urlsplit(target) if target.startswith("http") else urlsplit(f"{url}{target}")
    path = quote(unquote(address.path), safe="/~") if service == "s3" else address.path
    given = {"Host": urlsplit(url).netloc, **(headers or {})}
    query = parse_qsl(address.query, keep_blank_values=True)
    request: Any = AWSRequest(method, f"{url}{path}", data=body, headers=given)
    request.params = query
    signer: Any = S3SigV4Auth if service == "s3" else SigV4Auth
    keys = BotocoreCredentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    signer(keys, service, region).add_auth(request)
    return dict(request.headers)
