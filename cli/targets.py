"""The deployed pipeline that a command acts on: a stack in AWS, or the local cloud."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import CommandError
from cli.presentation import write_line
from cli.project import PROJECT
from cli.stacks import deployed_stack, stack_names
from cli.text import quoted
from local.running_cloud import WORKING_FOLDER, RunningCloud


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
        return _stack_target("", project)
    # Where Pulumi is not installed or not logged in, no stack can be meant.
    try:
        names = stack_names(project)
    except CommandError:
        names = []
    if names:
        raise CommandError(
            f"There are a local cloud and {'a stack' if len(names) == 1 else 'stacks'}: pass --local or --stack "
            f"{' or --stack '.join(sorted(names))}."
        )
    return _local_target(running)


def announced_target(stack: str, *, local: bool, stream: IO[str] | None = None) -> Target:
    """Find the target as `find_target` does, and say which it is.

    Args:
        stack: value of `--stack`.
        local: value of `--local`.
        stream: where to say so; by default standard output. Standard error if standard output carries data.

    Raises:
        CommandError: see `find_target`.
    """
    target = find_target(stack, local=local)
    write_line(stream or sys.stdout, f"Using {target.description}.")
    return target


@contextmanager
def aws_errors(advice: str = "check your credentials and region") -> Iterator[None]:
    """Turn an error of AWS into one sentence.

    Args:
        advice: what the user can do.

    Raises:
        CommandError: a request in the block was refused, or not answered.
    """
    try:
        yield
    except (BotoCoreError, ClientError, ValueError) as error:  # An invalid region name is a ValueError.
        raise CommandError(f"AWS refused a request or did not respond ({quoted(error)}): {advice}.") from error


def _stack_target(name: str, project: Path) -> Target:
    stack = deployed_stack(name, project)
    region = stack.outputs.get("region")

    def client(service: str) -> Any:
        with aws_errors():
            return boto3.client(service, region_name=region)  # type: ignore[call-overload] # names are literals in the stubs

    return Target(f"the stack {stack.name} in {region}", stack.outputs, client)


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
            config=Config(proxies={}, s3={"addressing_style": "path"}),
        )

    return Target("the local cloud", running.outputs, client, running)
