"""The deployed pipeline that a command acts on: a stack in AWS, or the local cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError
from rich.console import Console

from cli.errors import CommandError
from cli.presentation import print_line
from cli.project import PROJECT
from cli.stacks import PulumiMissingError, deployed_stack, stack_names
from cli.text import quoted
from local.running_cloud import WORKING_FOLDER, RunningCloud

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
"""Codes of errors: the credentials were right once."""
_ANSWER_SECONDS = {"lambda": 930}
"""How long the services that are not quick may take to answer: a function runs for up to a quarter of an hour."""
_QUICK_SECONDS = 60
_UNKNOWN = frozenset(
    {"InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"}
)
"""Codes of errors: AWS does not know the credentials."""


@dataclass(frozen=True)
class Target:
    """A deployed pipeline. Both kinds have the same outputs and the same APIs, so one code serves both."""

    description: str
    """A noun phrase for the first line of a command, such as `the stack dev in eu-central-1`."""
    outputs: Mapping[str, Any]
    """The stack's outputs."""
    client: Callable[[str], Any]
    """Returns a boto3 client of a service in the pipeline's account and region."""
    local: RunningCloud | None = None
    """The local cloud, if the pipeline runs there."""
    stack: str = "local"
    """Name of the stack; `local` for the local cloud."""

    def output(self, name: str) -> Any:
        """Return one of the stack's outputs.

        Raises:
            CommandError: the stack was deployed before the program had this output.
        """
        if name not in self.outputs:
            raise CommandError("An older version deployed this stack: run `pulumi up`, then the command again.")
        return self.outputs[name]

    def announce(self, console: Console) -> None:
        """Print what the command acts on: the first line of its output."""
        print_line(console, f"Using {self.description}.")


def find_target(
    stack: str = "", *, local: bool = False, project: Path = PROJECT, working: Path = WORKING_FOLDER
) -> Target:
    """Return the target that the options name, or without options the only one that there is.

    Args:
        stack: value of `--stack`.
        local: value of `--local`.
        project: folder of `Pulumi.yaml`.
        working: folder in which a local cloud announces itself.

    Raises:
        CommandError: both options are given, what they name does not exist, or there is not exactly one target.
    """
    if stack and local:
        raise CommandError("Pass either --stack or --local: a command acts on one of them.")
    if stack:
        return _stack_target(stack, project)
    running = RunningCloud.find(working)
    if local:
        if running is None:
            raise CommandError("No local cloud is running: start one with `spotify-etl local up`.")
        return _local_target(running)
    if running is None:
        try:
            return _stack_target("", project)
        except PulumiMissingError as error:
            raise CommandError(
                f"No local cloud is running, so start one with `spotify-etl local up`, or choose a stack: {error}"
            ) from error
    # Where Pulumi is not installed or not logged in, no stack can be meant.
    try:
        names = stack_names(project)
    except CommandError:
        names = []
    if names:
        raise CommandError(
            f"Both a local cloud and {'a stack' if len(names) == 1 else 'stacks'} exist: pass --local or --stack "
            f"{' or --stack '.join(sorted(names))}."
        )
    return _local_target(running)


@contextmanager
def aws_errors(advice: str = "check your credentials and region") -> Iterator[None]:
    """Turn an error of AWS into one sentence.

    Args:
        advice: what the user can do, unless the error itself says more.

    Raises:
        CommandError: a request in the block was refused, or not answered.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise CommandError(
            f"AWS refused a request or did not respond ({quoted(error).rstrip('.')}): {_advice(error) or advice}."
        ) from error


def _advice(error: BotoCoreError | ClientError) -> str:
    """Return what helps against an error whose cause is plain; '' for others."""
    if isinstance(error, EndpointConnectionError) and "//127.0.0.1:" in str(error):
        return "start the local cloud again with `spotify-etl local up`"
    if isinstance(error, NoCredentialsError):
        return "log in to AWS, for example with `aws sso login` or `aws configure`"
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
    if code in _EXPIRED:
        return "your credentials have expired, so log in to AWS again, for example with `aws sso login`"
    if code in _UNKNOWN:
        return "AWS does not know these credentials, so check AWS_PROFILE, or log in to AWS again"
    return ""


def _stack_target(name: str, project: Path) -> Target:
    stack = deployed_stack(name, project)
    region = stack.outputs.get("region")

    def client(service: str) -> Any:
        try:
            return boto3.client(
                service,  # type: ignore[call-overload] # the stubs have a literal type for service names
                region_name=region,
                # Athena answers only a few requests a second.
                config=Config(
                    retries={"mode": "standard", "total_max_attempts": 8},
                    read_timeout=_ANSWER_SECONDS.get(service, _QUICK_SECONDS),
                    # Routers forget connections on which nothing happens for minutes.
                    tcp_keepalive=True,
                ),
            )
        except (BotoCoreError, ValueError) as error:  # An invalid endpoint or region is a ValueError.
            raise CommandError(
                f"Cannot create an AWS client ({quoted(error)}): check your AWS configuration and the stack's region."
            ) from error

    return Target(f"the stack {stack.name} in {region}", stack.outputs, client, stack=stack.name)


def _local_target(running: RunningCloud) -> Target:
    if not running.outputs:
        raise CommandError(
            "The local cloud is empty: start it without --empty, or deploy into it and pass --stack with the stack's "
            "name."
        )

    def client(service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload] # the stubs have a literal type for service names
            region_name=running.region,
            endpoint_url=running.url,
            aws_access_key_id=running.access_key_id,
            aws_secret_access_key=running.secret_access_key,
            # No proxy for the loopback interface.
            config=Config(
                proxies={},
                s3={"addressing_style": "path"},
                read_timeout=_ANSWER_SECONDS.get(service, _QUICK_SECONDS),
            ),
        )

    return Target("the local cloud", running.outputs, client, running)
