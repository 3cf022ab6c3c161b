"""The event loop that runs the services through simulated time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from embedded_aws.clock import SimulatedClock
from embedded_aws.runtime.role_sessions import RoleSessions
from embedded_aws.runtime.step_collector import StepCollector
from embedded_aws.runtime.step_log import Step, StepLog
from embedded_aws.runtime.timers import Timers, Worker
from embedded_aws.server.server import AwsServer
from embedded_aws.services.events.rules import Rules
from embedded_aws.services.glue.crawler import Crawlers
from embedded_aws.services.lambda_.asynchronous import AsynchronousInvocations
from embedded_aws.services.lambda_.event_source_mappings import QueuePollers
from embedded_aws.services.lambda_.functions import Functions
from embedded_aws.services.scheduler.schedules import Schedules


class Simulation:
    """Runs whatever is deployed in a server.

    Args:
        server: AWS; started before `install`.
        clock: clock that `run_until` moves; started before `install`.
        folder: folder for unpacked functions; removed by `close`.
    """

    def __init__(self, server: AwsServer, clock: SimulatedClock, folder: Path) -> None:
        self.steps = steps = StepLog(clock)
        """What happened so far."""
        self._clock = clock
        self._collector = StepCollector(server, steps)
        self._installed = ExitStack()

        timers, sessions = Timers(lambda: clock.now), RoleSessions(server, clock)
        self._functions = Functions(server, clock, steps, folder)
        self._asynchronous = AsynchronousInvocations(server, clock, steps, timers, sessions, self._functions)
        self._queues = QueuePollers(server, clock, steps, sessions, self._functions)
        self._rules = Rules(server, clock, steps, timers, self._functions, self._asynchronous.accept)
        self._crawlers = Crawlers(server, clock, steps, timers, sessions, self._rules)
        schedules = Schedules(server, clock, steps, timers, sessions)
        # In this order, so that what was planned earlier runs first.
        self._workers: tuple[Worker, ...] = (timers, schedules, self._rules, self._crawlers, self._queues)

    def install(self) -> None:
        """Replace what moto only pretends to do."""
        for worker in (self._queues, self._rules, self._crawlers):
            self._installed.callback(worker.close)
            worker.install()
        # Closed first: a function that is still running must not reach moto's own implementation.
        self._installed.callback(self._functions.close)
        self._functions.install(self._asynchronous.accept)

    def close(self) -> None:
        """Stop every function's process and restore moto."""
        self._installed.close()

    def run_until(self, moment: datetime, on_step: Callable[[Step], None] | None = None) -> None:
        """Let simulated time pass: everything that becomes due happens at its time.

        Args:
            moment: aware time that the clock shows afterwards, or shortly after it.
            on_step: callback invoked per step.
        """
        self.steps.on_step = on_step
        try:
            self.drain()
            while (due := self._next_due()) is not None and due <= moment:
                self._clock.move_to(due)
                self.drain()
            self._clock.move_to(moment)
            self.drain()
        finally:
            self.steps.on_step = None

    def drain(self) -> None:
        """Do everything that is due now, and everything that follows from it, without letting time pass."""
        busy = True
        while busy:
            # Every worker gets its turn, even if the one before it was busy.
            ran = [worker.run_due() for worker in self._workers]
            busy = any(ran)
            self._collector.collect()

    def _next_due(self) -> datetime | None:
        return min((due for worker in self._workers if (due := worker.next_due())), default=None)
