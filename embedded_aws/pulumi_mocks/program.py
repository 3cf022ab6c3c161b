"""A Pulumi program run with mocks that create its resources."""

from __future__ import annotations

import asyncio
import json
import logging
import runpy
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockMonitor, set_mocks
from pulumi.runtime.settings import set_root_resource
from pulumi.runtime.stack import run_in_stack

from embedded_aws.pulumi_mocks.mocks import AwsMocks, UnsupportedResourceError, revealed
from embedded_aws.pulumi_mocks.outputs import outputs_settled


class ProgramError(Exception):
    """A program failed; the message is one sentence."""


def run(project: Path, name: str, stack: str, config: Mapping[str, str], warnings: list[str]) -> dict[str, Any]:
    """Run `__main__.py` of a project.

    Args:
        project: folder of the project, from which the program imports.
        name: name of the project.
        stack: name of the stack.
        config: key with namespace → value as text.
        warnings: list to which the program's warnings are appended.

    Returns:
        The stack's outputs.

    Raises:
        ProgramError: the program or the creation of a resource failed.
    """
    sys.path.insert(0, str(project))
    # Mocks and program must share one event loop: both schedule tasks in it.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pulumi.runtime.set_all_config(dict(config))
    monitor = _Monitor(AwsMocks(name, stack))
    set_mocks(
        monitor.mocks,
        project=name,
        stack=stack,
        preview=False,
        logger=_logger(warnings),
        monitor=monitor,
        organization="organization",
    )
    set_root_resource(None)  # type: ignore[arg-type] # run_in_stack creates its own, whose outputs are the exports

    async def program() -> None:
        runpy.run_path(str(project / "__main__.py"), run_name="__main__")
        await outputs_settled()

    try:
        loop.run_until_complete(run_in_stack(program))
    except BaseException as error:
        raise ProgramError(_sentence(error, project)) from error
    return monitor.outputs


class _Monitor(MockMonitor):
    """Pulumi's mock monitor, extended to keep the stack's outputs."""

    def __init__(self, mocks: AwsMocks) -> None:
        super().__init__(mocks)
        self.outputs: dict[str, Any] = {}

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - Pulumi's name
        """Keep the outputs of the stack; those of components are unused."""
        if request.urn.split("::")[2] == "pulumi:pulumi:Stack":
            self.outputs = _plain(rpc.deserialize_properties(request.outputs))
        return empty_pb2.Empty()


def _plain(value: Any) -> Any:
    """Return outputs as plain JSON values, with secrets unwrapped."""
    return json.loads(json.dumps(revealed(value)))


def _logger(warnings: list[str]) -> logging.Logger:
    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warnings.append(record.getMessage())

    collecting = logging.getLogger("program")
    collecting.setLevel(logging.WARNING)
    collecting.propagate = False
    collecting.addHandler(Collect())
    return collecting


def _sentence(error: BaseException, project: Path) -> str:
    """Return why a program failed; for an error in its code with the line."""
    cause = _innermost(error)
    if isinstance(
        cause, (pulumi.RunError, pulumi.ConfigMissingError, pulumi.ConfigTypeError, UnsupportedResourceError)
    ):
        return " ".join(str(cause).split())
    if isinstance(cause, SystemExit):
        return " ".join(str(cause.code).split())
    frames = [frame for frame in traceback.extract_tb(cause.__traceback__) if frame.filename.startswith(str(project))]
    where = f" ({Path(frames[-1].filename).relative_to(project)}, line {frames[-1].lineno})" if frames else ""
    return f"{type(cause).__name__}: {' '.join(str(cause).split())}{where}"


def _innermost(error: BaseException) -> BaseException:
    """Return the original error: Pulumi wraps what its tasks raise."""
    while isinstance(error.__cause__, BaseException) and not isinstance(
        error, (pulumi.RunError, UnsupportedResourceError)
    ):
        error = error.__cause__
    return error
