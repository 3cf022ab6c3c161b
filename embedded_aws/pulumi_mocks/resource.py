"""A resource that a program declares, and the account that it is created in."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from embedded_aws.pulumi_mocks.arguments import Arguments

_LONGEST_ANSWER = 15 * 60 + 30
"""Seconds; longer than a Lambda function may run."""


class ResourceError(Exception):
    """A resource cannot be created as declared; the message says why, without naming the resource."""


class AwsAccount:
    """The AWS account, as the environment's endpoint and credentials determine it."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        """Project and stack, from which physical names are derived."""
        self._session = boto3.Session()
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self.region: str = self._session.region_name

    @functools.cached_property
    def account_id(self) -> str:
        """Its twelve digits. Many programs fail before they need them, and a client takes long to create."""
        account_id: str = self.client("sts").get_caller_identity()["Account"]
        return account_id

    def client(self, service: str) -> Any:
        """Return a boto3 client, cached by service."""
        with self._lock:
            if service not in self._clients:
                config = Config(s3={"addressing_style": "path"}, max_pool_connections=32, read_timeout=_LONGEST_ANSWER)
                self._clients[service] = self._session.client(service, config=config)  # type: ignore[call-overload] # the stubs have a literal type for service names
            return self._clients[service]

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """Return the ARN of a resource of this account."""
        region = self.region if region is None else region
        return f"arn:aws:{service}:{region}:{self.account_id}:{resource}"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource that a program declares."""

    token: str
    """Pulumi type, such as "aws:sqs/queue:Queue"."""
    name: str
    """Name in the program."""
    arguments: Arguments
    account: AwsAccount

    def physical_name(self, argument: str = "name", *, longest: int) -> str:
        """Return the given name, or by default Pulumi's: the name in the program and seven hexadecimal digits.

        The digits are the same in every deployment of the stack, to make runs comparable.

        Args:
            argument: argument for the name; `<argument>Prefix` may give its beginning.
            longest: maximum length that AWS allows.

        Raises:
            ResourceError: the name would be too long.
        """
        given = self.arguments.take(argument)
        if given is not None:
            return str(given)
        prefix = self.arguments.take(f"{argument}Prefix", f"{self.name}-")
        digits = hashlib.sha256(f"{self.account.scope}/{self.token}/{self.name}".encode()).hexdigest()[:7]
        if len(prefix) + len(digits) > longest:
            raise ResourceError(
                f"its name {self.name} plus eight characters is longer than the {longest} that AWS allows"
            )
        return f"{prefix}{digits}"

    def tags(self) -> dict[str, str]:
        """Return the tags, by key."""
        return dict(self.arguments.take("tags") or {})


Created = tuple[str, dict[str, Any]]
"""The provider's ID of the resource, and the outputs beyond the arguments."""

Create = Callable[[Resource], Created]


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags in the format of most services."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
