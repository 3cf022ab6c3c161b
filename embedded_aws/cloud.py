"""The embedded AWS: start it, deploy into it and run it through simulated time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from embedded_aws.clock import SimulatedClock
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.iam.recorder import PolicyRecorder
from embedded_aws.persistence.account_store import AccountStore, OwnState
from embedded_aws.persistence.errors import DataVersionError
from embedded_aws.pulumi_mocks import deploy
from embedded_aws.runtime.pending import PendingWork
from embedded_aws.runtime.simulation import Simulation, StopSignal
from embedded_aws.runtime.step_log import Step
from embedded_aws.server.faults import RequestFault
from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena import AthenaEngine

_JITTER = timedelta(milliseconds=100)
"""How exactly the clock's offset is kept."""


class EmbeddedAws:
    """An AWS account on 127.0.0.1 and on a simulated clock; a context manager, or `start` and `stop`.

    Only one can run in a process at a time: moto's state and the clock belong to the process.

    Args:
        folder: folder for unpacked functions and other working files.
        start: simulated start time; aware.
        region: AWS region.
        port: port on 127.0.0.1; 0 takes a free one.
        data: folder that keeps the account: it comes back as it was, after `stop` and after the process was killed.
            None keeps nothing.
        any_python: whether functions may ask for any version of Python; all run in this one. Otherwise those that ask
            for another one are refused.
    """

    def __init__(
        self,
        folder: Path,
        *,
        start: datetime,
        region: str = "eu-central-1",
        port: int = 0,
        data: Path | None = None,
        any_python: bool = False,
    ) -> None:
        self.clock = SimulatedClock(start)
        """The simulated clock."""
        self.server = AwsServer(region=region, port=port)
        """The HTTP server, with its URL and the owner's credentials."""
        self._athena = AthenaEngine(self.server, folder)
        self._simulation = Simulation(
            self.server, self.clock, folder / "functions", self._athena.wait, any_python=any_python
        )
        self.log: list[Step] = self._simulation.steps.recorded
        """Every step of the services, errors included."""
        self._saved_offset: timedelta | None = None
        self._store = None if data is None else self._new_store(data)
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
            if self._store is not None:
                starting.callback(self._store.close)
                self._store.open()
                self._come_back(self._store)
            for begin, end in (
                (self.clock.start, self.clock.stop),
                (self._start_server, self.server.stop),
                (self._athena.install, self._athena.close),
                (self._simulation.install, self._simulation.close),
            ):
                starting.callback(end)
                begin()
            if self._store is not None:
                self._simulation.resume()
                # Saved and closed while moto still has its state.
                starting.callback(self._store.close)
            # First of all, so that the end of what still runs is saved.
            starting.callback(self._athena.cancel_all)
            self._running = starting.pop_all()

    def _start_server(self) -> None:
        self.server.start(self._store.restore if self._store is not None else None)

    def _new_store(self, data: Path) -> AccountStore:
        own = {
            "extras": OwnState(self.server.extras.state, self.server.extras.restore),
            "clock": OwnState(self._offset, lambda _offset: None),
            **self._simulation.own,
        }
        return AccountStore(data, self.server.gate, account_id=self.server.account_id, own=own)

    def _offset(self) -> timedelta:
        """Return the clock's offset, without the jitter of measuring it."""
        offset = self.clock.offset
        if self._saved_offset is None or abs(offset - self._saved_offset) > _JITTER:
            self._saved_offset = offset
        return self._saved_offset

    def _come_back(self, store: AccountStore) -> None:
        """Take the owner and the time from the data folder; a new one gets ours."""
        owner, region = self.server.owner, self.server.region
        found = store.identity(
            {"region": region, "access key id": owner.access_key_id, "secret access key": owner.secret_access_key}
        )
        if found["region"] != region:
            raise DataVersionError(
                f"The data folder holds an account in {found['region']}, not in {region}: use that region, or another"
                " folder."
            )
        self.server.adopt(AwsCredentials(found["access key id"], found["secret access key"], None))
        offset = store.own_state("clock")
        if offset is not None:
            self.clock.resume(offset)

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

    def inject(self, fault: RequestFault) -> None:
        """Let coming requests of clients and functions fail; `server.faults` has what is still to happen."""
        self.server.faults.inject(fault)

    @contextmanager
    def recorded_policies(self) -> Iterator[PolicyRecorder]:
        """Record what roles and users are allowed to do within this context, to write the least policy from it."""
        recorder = PolicyRecorder()
        self.server.authorization.recorders.append(recorder)
        try:
            yield recorder
        finally:
            self.server.authorization.recorders.remove(recorder)

    def run_until(self, moment: datetime, on_step: Callable[[Step], None] | None = None) -> None:
        """Let simulated time pass: everything that becomes due happens at its time.

        Args:
            moment: aware time that the clock shows afterwards, or shortly after it.
            on_step: callback invoked per step.
        """
        self._simulation.run_until(moment, on_step)

    def pending(self) -> PendingWork:
        """Return the messages in queues, the functions that are running, and what starts next by itself."""
        return self._simulation.pending()

    def serve(self, until: StopSignal, on_step: Callable[[Step], None] | None = None) -> None:
        """Do everything when it is due, while the clock ticks in real time; never ends because something failed.

        Args:
            until: ends it when set; such as a `threading.Event`.
            on_step: callback invoked per step.
        """
        self._simulation.serve(until, on_step)

    def advance(self, span: timedelta) -> None:
        """Let simulated time pass at once, also while another thread is in `serve`.

        Everything that becomes due happens at its time; then real time goes on from there.
        """
        self._simulation.advance(span)

    def drain(self) -> None:
        """Do everything that is due now, and everything that follows from it, without letting time pass."""
        self._simulation.drain()
