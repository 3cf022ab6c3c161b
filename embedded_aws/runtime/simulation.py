"""All engines together, and the loop that plays them through simulated time."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from embedded_aws.runtime.role_sessions import RoleSessions
from embedded_aws.runtime.step_collector import StepCollector
from embedded_aws.runtime.step_log import StepLog
from embedded_aws.runtime.timers import Timers, Worker
from embedded_aws.services.events.rules import Rules
from embedded_aws.services.glue.crawler import Crawlers
from embedded_aws.services.lambda_.asynchronous import AsynchronousInvocations
from embedded_aws.services.lambda_.event_source_mappings import QueuePollers
from embedded_aws.services.lambda_.functions import Functions
from embedded_aws.services.scheduler.schedules import Schedules

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from embedded_aws.clock import SimulatedClock
    from embedded_aws.runtime.step_log import Step
    from embedded_aws.server.server import AwsServer


class Simulation:
    """Plays whatever a server holds.

    Args:
        server: AWS; started before `install`.
        clock: moved by `run_until`; started before `install`.
        folder: for unpacked functions; removed by `close`.

    Attributes:
        steps: what happened.
    """

    def __init__(self, server: AwsServer, clock: SimulatedClock, folder: Path) -> None:
        self.steps = steps = StepLog(clock)
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
        # Asked in this order: what was promised earlier goes first.
        self._workers: tuple[Worker, ...] = (timers, schedules, self._rules, self._crawlers, self._queues)

    def install(self) -> None:
        """Take moto's place where it only pretends."""
        for engine in (self._queues, self._rules, self._crawlers):
            self._installed.callback(engine.close)
            engine.install()
        # Closed first: what a function at work still does must not meet moto's own ways.
        self._installed.callback(self._functions.close)
        self._functions.install(self._asynchronous.accept)

    def close(self) -> None:
        """End every function's process and give moto its place back."""
        self._installed.close()

    def run_until(self, moment: datetime, on_step: Callable[[Step], None] | None = None) -> None:
        """Let simulated time pass: whatever falls due on the way happens at its time, until all is quiet.

        Args:
            moment: aware; where the clock stands afterwards, or a little later.
            on_step: is told every step as it happens.
        """
        self.steps.listener = on_step
        try:
            self.drain()
            while (due := self._next_due()) is not None and due <= moment:
                self._clock.move_to(due)
                self.drain()
            self._clock.move_to(moment)
            self.drain()
        finally:
            self.steps.listener = None

    def drain(self) -> None:
        """Do all that is due now, and what follows from it, without letting time pass."""
        acting = True
        while acting:
            # Every engine has its turn, whether or not the one before had anything to do.
            acted = [worker.run_due() for worker in self._workers]
            acting = any(acted)
            self._collector.collect()

    def _next_due(self) -> datetime | None:
        return min((due for worker in self._workers if (due := worker.next_due())), default=None)
