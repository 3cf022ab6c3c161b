"""AWS in one process: started, deployed into, and run through simulated time."""

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

    One at a time in a process: moto keeps its state in the process, and the clock is the process's own.

    Args:
        folder: where unpacked functions and other working files lie while it runs.
        start: the simulated moment at which it starts; aware.
        region: the AWS region.

    Attributes:
        clock: the simulated clock.
        server: the HTTP server, with the owner's keys and its address.
        log: every step that the services took, errors included.
    """

    def __init__(self, folder: Path, *, start: datetime, region: str = "eu-central-1") -> None:
        self.clock = SimulatedClock(start)
        self.server = AwsServer(region=region)
        self._athena = AthenaEngine(self.server, folder)
        self._simulation = Simulation(self.server, self.clock, folder / "functions")
        self.log: list[Step] = self._simulation.steps.recorded
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
        """Start with an empty account, at the simulated moment.

        Raises:
            RuntimeError: it is running already.
            ServerBusyError: another one is running in this process.
        """
        if self._running:
            raise RuntimeError("The embedded AWS is running: stop() it before it is started again.")
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
        """Stop: no process, socket or working file is left behind; one that is not running stays as it is."""
        if self._running:
            running, self._running = self._running, None
            running.close()

    @property
    def now(self) -> datetime:
        """The simulated moment, UTC."""
        return self.clock.now

    def client(self, service: str) -> Any:
        """A boto3 client of the account's owner, who may do everything."""
        return self.server.client(service)

    def deploy(
        self,
        project: Path,
        *,
        stack: str = "local",
        config: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Run a project's Pulumi program and create what it asks for.

        Args:
            project: folder of `__main__.py` and `Pulumi.yaml`.
            stack: whose `Pulumi.<stack>.yaml` configures it.
            config: settings that override the file's.
            environment: further variables for the program's process.

        Returns:
            The stack's outputs.

        Raises:
            DeploymentError: the program ended with an error, or asks for what cannot be created here.
        """
        return deploy(self.server, project, stack=stack, config=config or {}, environment=environment or {})

    def run_until(self, moment: datetime, on_step: Callable[[Step], None] | None = None) -> None:
        """Let simulated time pass: whatever falls due on the way happens at its time, until all is quiet.

        Args:
            moment: aware; where the clock stands afterwards, or a little later.
            on_step: called with every step as it happens.
        """
        self._simulation.run_until(moment, on_step)

    def drain(self) -> None:
        """Do all that is due now, and what follows from it, without letting time pass."""
        self._simulation.drain()
