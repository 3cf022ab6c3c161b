"""A Pulumi program run to its end under mocks that create what it asks for."""

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

from embedded_aws.pulumi_mocks.mocks import CloudMocks, UnsupportedResourceError, revealed


class ProgramError(Exception):
    """A program that ended with an error; the message is one sentence."""


def run(project: Path, name: str, stack: str, config: Mapping[str, str], warnings: list[str]) -> dict[str, Any]:
    """Run `__main__.py` of a project.

    Args:
        project: its folder, from which the program imports.
        name: the project's name.
        stack: the stack's name.
        config: key with namespace → value as text.
        warnings: gets what the program warns of.

    Returns:
        The stack's outputs.

    Raises:
        ProgramError: the program or the creation of a resource failed.
    """
    sys.path.insert(0, str(project))
    # Mocks and program have to share one loop: both leave tasks in it.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pulumi.runtime.set_all_config(dict(config))
    monitor = _Monitor(CloudMocks(name, stack))
    set_mocks(
        monitor.mocks,
        project=name,
        stack=stack,
        preview=False,
        logger=_logger(warnings),
        monitor=monitor,
        organization="organization",
    )
    set_root_resource(None)  # type: ignore[arg-type] # run_in_stack makes its own, whose outputs are the exports

    def program() -> None:
        runpy.run_path(str(project / "__main__.py"), run_name="__main__")

    try:
        loop.run_until_complete(run_in_stack(program))
    except BaseException as error:
        raise ProgramError(_sentence(error, project)) from error
    return monitor.outputs


class _Monitor(MockMonitor):
    """Pulumi's mock monitor, which also keeps the stack's outputs."""

    def __init__(self, mocks: CloudMocks) -> None:
        super().__init__(mocks)
        self.outputs: dict[str, Any] = {}

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the engine's name
        """Keep the outputs of the stack; a component's own are of no use here."""
        if request.urn.split("::")[2] == "pulumi:pulumi:Stack":
            self.outputs = _plain(rpc.deserialize_properties(request.outputs))
        return empty_pb2.Empty()


def _plain(value: Any) -> Any:
    """Return outputs as JSON has them; secrets lose their mark."""
    return json.loads(json.dumps(revealed(value)))


def _logger(warnings: list[str]) -> logging.Logger:
    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            warnings.append(record.getMessage())

    logger = logging.getLogger("program")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    logger.addHandler(Collect())
    return logger


def _sentence(error: BaseException, project: Path) -> str:
    """Say what ended a program; a mistake in its code is told with the line it is in."""
    told = _innermost(error)
    if isinstance(told, (pulumi.RunError, pulumi.ConfigMissingError, pulumi.ConfigTypeError, UnsupportedResourceError)):
        return " ".join(str(told).split())
    if isinstance(told, SystemExit):
        return " ".join(str(told.code).split())
    frames = [frame for frame in traceback.extract_tb(told.__traceback__) if frame.filename.startswith(str(project))]
    where = f" ({Path(frames[-1].filename).relative_to(project)}, line {frames[-1].lineno})" if frames else ""
    return f"{type(told).__name__}: {' '.join(str(told).split())}{where}"


def _innermost(error: BaseException) -> BaseException:
    """Return the error that began it: Pulumi wraps what its tasks raise."""
    while isinstance(error.__cause__, BaseException) and not isinstance(
        error, (pulumi.RunError, UnsupportedResourceError)
    ):
        error = error.__cause__
    return error
