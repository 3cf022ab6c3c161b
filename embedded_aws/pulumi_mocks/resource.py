"""One resource that a program asks for, and the account it is created in."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from embedded_aws.pulumi_mocks.arguments import Arguments


class ResourceError(Exception):
    """A resource cannot be created as asked; the message says why, without naming the resource."""


class Cloud:
    """The account: clients by the environment's endpoint and credentials, made once each.

    Attributes:
        region: e.g. "eu-central-1".
        account_id: twelve digits.
        scope: project and stack, from which physical names are made.
    """

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self._session = boto3.Session()
        self._lock = threading.Lock()
        self._clients: dict[str, Any] = {}
        self.region: str = self._session.region_name
        self.account_id: str = self.client("sts").get_caller_identity()["Account"]

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        with self._lock:
            if service not in self._clients:
                config = Config(s3={"addressing_style": "path"}, max_pool_connections=32)
                self._clients[service] = self._session.client(service, config=config)  # type: ignore[call-overload] # by name
            return self._clients[service]

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """Return the ARN of a resource of this account."""
        place = self.region if region is None else region
        return f"arn:aws:{service}:{place}:{self.account_id}:{resource}"


@dataclass(frozen=True)
class Resource:
    """What a program asks for.

    Attributes:
        token: Pulumi's type, e.g. "aws:sqs/queue:Queue".
        name: the name in the program.
        arguments: what it is given.
        cloud: where it is created.
    """

    token: str
    name: str
    arguments: Arguments
    cloud: Cloud

    def physical_name(self, argument: str = "name", *, longest: int) -> str:
        """Return the given name, else one made of the program's name and seven hexadecimal digits, as Pulumi makes it.

        The digits are the same in every deployment of the stack, so that two runs can be compared.

        Args:
            argument: where the program may give the name, or `<argument>Prefix` its beginning.
            longest: characters that AWS allows.

        Raises:
            ResourceError: the name would be too long.
        """
        given = self.arguments.take(argument)
        if given is not None:
            return str(given)
        prefix = self.arguments.take(f"{argument}Prefix", f"{self.name}-")
        digits = hashlib.sha256(f"{self.cloud.scope}/{self.token}/{self.name}".encode()).hexdigest()[:7]
        if len(prefix) + len(digits) > longest:
            raise ResourceError(
                f"its name {self.name} plus eight characters is longer than the {longest} that AWS allows"
            )
        return f"{prefix}{digits}"

    def tags(self) -> dict[str, str]:
        """Return the tags, by key."""
        return dict(self.arguments.take("tags") or {})


Created = tuple[str, dict[str, Any]]
"""The provider's id of what was created, and the outputs beyond the arguments."""

Create = Callable[[Resource], Created]


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
