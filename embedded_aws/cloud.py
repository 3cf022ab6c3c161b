"""The embedded AWS: start it, deploy into it and run it through simulated time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from embedded_aws.clock import SimulatedClock
from embedded_aws.pulumi_mocks import deploy
from embedded_aws.runtime.simulation import Simulation
from embedded_aws.runtime.step_log import Step
from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena import AthenaEngine


class EmbeddedAws:
    """An AWS account on 127.0.0.1, on a free port and on a simulated clock; a context manager, or `start` and `stop`.

    Only one can run in a process at a time: moto's state and the clock belong to the process.

    Args:
        folder: folder for unpacked functions and other working files.
        start: simulated start time; aware.
        region: AWS region.
    """

    def __init__(self, folder: Path, *, start: datetime, region: str = "eu-central-1") -> None:
        self.clock = SimulatedClock(start)
        """The simulated clock."""
        self.server = AwsServer(region=region)
        """The HTTP server, with its URL and the owner's credentials."""
        self._athena = AthenaEngine(self.server, folder)
        self._simulation = Simulation(self.server, self.clock, folder / "functions")
        self.log: list[Step] = self._simulation.steps.recorded
        """Every step of the services, errors included."""
        self._running: ExitStack | None = None

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start with an empty account, at the simulated time.

        Raises:
            RuntimeError: it is already running.
            ServerBusyError: another embedded AWS is running in this process.
        """
        if self._running:
            raise RuntimeError("The embedded AWS is already running: call stop() before start().")
        with ExitStack() as starting:
            for begin, end in (
                (self.clock.start, self.clock.stop),
                (self.server.start, self.server.stop),
                (self._athena.install, self._athena.close),
                (self._simulation.install, self._simulation.close),
            ):
                starting.callback(end)
                begin()
            self._running = starting.pop_all()

    def stop(self) -> None:
        """Stop and clean up processes, sockets and working files; has no effect if it is not running."""
        if self._running:
            running, self._running = self._running, None
            running.close()

    @property
    def now(self) -> datetime:
        """The simulated time in UTC."""
        return self.clock.now

    def client(self, service: str) -> Any:
        """Return a boto3 client with the credentials of the account's owner, to whom everything is allowed."""
        return self.server.client(service)

    def deploy(
        self,
        project: Path,
        *,
        stack: str = "local",
        config: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a project's Pulumi program and create its resources.

        Args:
            project: folder with `__main__.py` and `Pulumi.yaml`.
            stack: name of the stack; `Pulumi.<stack>.yaml` configures it.
            config: settings that override those of the file.
            environment: additional environment variables for the program.

        Returns:
            The stack's outputs.

        Raises:
            DeploymentError: the program failed, or declares something unsupported.
        """
        return deploy(self.server, project, stack=stack, config=config or {}, environment=environment or {})

    def run_until(self, moment: datetime, on_step: Callable[[Step], None] | None = None) -> None:
        """Let simulated time pass: everything that becomes due happens at its time.

        Args:
            moment: aware time that the clock shows afterwards, or shortly after it.
            on_step: callback invoked per step.
        """
        self._simulation.run_until(moment, on_step)

    def drain(self) -> None:
        """Do everything that is due now, and everything that follows from it, without letting time pass."""
        self._simulation.drain()
