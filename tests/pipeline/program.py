"""Runs the whole program, or a part of it, under Pulumi's mocks and records what it registers."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import contextvars
import functools
import json
import runpy
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pulumi
import pulumi.runtime
import pulumi.runtime.resource
import pytest
import yaml
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockMonitor, MockSettings
from pulumi.runtime.proto import engine_pb2, source_pb2
from pulumi.runtime.settings import configure
from pulumi.runtime.stack import run_in_stack

from embedded_aws.pulumi_mocks.outputs import outputs_settled
from tests.pipeline.aws_resources import UnknownResourceError, check_known, created

ROOT = Path(__file__).parents[2]

Mode = Literal["up", "preview", "preview_unknown"]
"""`up`: AWS has answered; `preview`: ids are known, other outputs are not; `preview_unknown`: nothing is."""

MODES: tuple[Mode, ...] = ("up", "preview", "preview_unknown")


@dataclass
class Resource:
    """A resource as it was registered with the engine."""

    urn: str
    token: str
    name: str
    parent: str
    inputs: dict[str, Any]
    depends_on: set[str]
    protect: bool
    provider: str
    """URN of an explicit provider, two colons, and its id; empty for the default provider."""


@dataclass
class Program:
    """What a run registered."""

    resources: list[Resource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    """URNs of the components that have registered their outputs."""
    messages: list[str] = field(default_factory=list)

    def all(self, kind: str) -> dict[str, Resource]:
        """Return the AWS resources of a type, given by the last part of its token, by name."""
        return {
            resource.name: resource
            for resource in self.resources
            if resource.token.startswith("aws:") and resource.token.endswith(f":{kind}")
        }

    def one(self, kind: str, name: str) -> Resource:
        """Return the resource with a type and name."""
        return self.all(kind)[name]

    def tree(self) -> str:
        """Return every resource below its parent, sorted."""
        children: dict[str, list[Resource]] = {}
        for resource in self.resources:
            children.setdefault(resource.parent, []).append(resource)

        def lines(parent: str, depth: int) -> list[str]:
            below = sorted(children.get(parent, []), key=lambda resource: (resource.token, resource.name))
            return [
                line
                for resource in below
                for line in ("  " * depth + f"{resource.token} {resource.name}", *lines(resource.urn, depth + 1))
            ]

        [root] = {resource.parent for resource in self.resources} - {resource.urn for resource in self.resources}
        return "\n".join(lines(root, 0)) + "\n"


class _Mocks(pulumi.runtime.Mocks):
    def __init__(self, mode: Mode) -> None:
        self.mode = mode

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if not args.custom:
            return None, args.inputs
        if self.mode == "up":
            return created(args.typ, args.name, args.inputs)
        check_known(args.typ)
        return (f"id-of-{args.name}" if self.mode == "preview" else None), args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        raise UnknownResourceError(f"{args.token} is not a function that the tests know.")


class _Monitor(MockMonitor):
    """Also records what mocks do not receive: parents, dependencies and the stack's outputs."""

    def __init__(self, mocks: _Mocks, program: Program) -> None:
        super().__init__(mocks)
        self.program = program

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 the name of the engine's call
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]  # pulumi's mocks are untyped
        if request.type != "pulumi:pulumi:Stack":
            self.program.resources.append(
                Resource(
                    urn=answer.urn,
                    token=request.type,
                    name=request.name,
                    parent=request.parent,
                    inputs=rpc.deserialize_properties(request.object),
                    depends_on=set(request.dependencies),
                    protect=request.protect,
                    provider=request.provider,
                )
            )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 the name of the engine's call
        self.program.finished.add(request.urn)
        if "pulumi:pulumi:Stack" in request.urn.split("::")[2]:
            self.program.outputs = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]  # as above


class _Engine:
    """Records the program's messages to the user."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def Log(self, request: Any) -> None:  # noqa: N802 the name of the engine's call
        if request.severity > engine_pb2.DEBUG:
            self.program.messages.append(request.message)


def run(
    config: Mapping[str, str] | None = None,
    *,
    mode: Mode = "up",
    stack: str = "dev",
    project: str = "spotify-etl",
    entry: Callable[[], object] | None = None,
    program: Program | None = None,
) -> Program:
    """Run `__main__.py`, or another entry, as a stack with the given configuration.

    Archives are built without packages, which test_packaging.py tests. A run of `__main__.py` is recorded once for
    the same arguments: change nothing in it. For a run that fails, the caller gives the `program` to record it in.
    """
    if entry is None and program is None:
        return _recorded(frozenset((config or {}).items()), mode, stack)
    return _run(config or {}, mode, f"{project}/{stack}", entry or main, program or Program())


@functools.cache
def _recorded(config: frozenset[tuple[str, str]], mode: Mode, stack: str) -> Program:
    return _run(dict(config), mode, f"spotify-etl/{stack}", main, Program())


def _run(config: Mapping[str, str], mode: Mode, stack: str, entry: Callable[[], object], program: Program) -> Program:
    def start() -> None:
        monitor = _Monitor(_Mocks(mode), program)
        # As pulumi.runtime.set_mocks does, but for the root of the stack, which run_in_stack makes.
        configure(
            MockSettings(  # type: ignore[no-untyped-call]  # pulumi's mocks are untyped
                monitor=monitor,
                monitor_features=set(monitor.GetDeploymentInfo(None).supportedFeatures),  # type: ignore[no-untyped-call]  # as above
                engine=_Engine(program),
                project=stack.partition("/")[0],
                stack=stack.partition("/")[2],
                dry_run=mode != "up",
                organization="organization",
                callbacks=None,
            )
        )
        pulumi.runtime.set_all_config(dict(config), [])
        asyncio.run(_run_in_one_thread(entry))

    with pytest.MonkeyPatch.context() as environment, quiet_about_deprecated_resources():
        environment.setenv("SPOTIFY_ETL_LAYERS", "locks")
        # An Output formatted into a text ends the program.
        environment.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
        # Where each resource is created, which nothing here reads, takes a seventh of the run.
        environment.setattr(pulumi.runtime.resource, "_get_stack_trace", source_pb2.StackTrace)
        contextvars.copy_context().run(start)
    return program


async def _run_in_one_thread(entry: Callable[[], object]) -> None:
    """Run an entry with all calls of the mock monitor in one thread, whose event loop is closed in the end."""

    async def body() -> None:
        entry()
        await outputs_settled()

    calls = asyncio.new_event_loop()
    try:
        with concurrent.futures.ThreadPoolExecutor(
            1, initializer=asyncio.set_event_loop, initargs=(calls,)
        ) as executor:
            asyncio.get_running_loop().set_default_executor(executor)
            await run_in_stack(body)
    finally:
        calls.close()


@contextlib.contextmanager
def quiet_about_deprecated_resources() -> Iterator[None]:
    """Silence the warnings that modules of pulumi_aws print about deprecated resources when they are loaded.

    For a program that creates a deprecated resource, the engine still prints a message.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"[\w./]+ has been deprecated in favor of", DeprecationWarning)
        yield


def stack_config(stack: str) -> dict[str, str]:
    """Return what Pulumi's CLI passes to the program for `Pulumi.<stack>.yaml`, including project defaults."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    defaults = {f"{project['name']}:{key}": setting["default"] for key, setting in project["config"].items()}
    own = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key: _as_text(value) for key, value in {**defaults, **own}.items()}


def main() -> None:
    """Run `__main__.py`."""
    runpy.run_path(str(ROOT / "__main__.py"))


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
