"""The event loop that runs the services through simulated time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from embedded_aws.clock import SimulatedClock
from embedded_aws.persistence.account_store import OwnState
from embedded_aws.persistence.errors import DataError
from embedded_aws.runtime.pending import PendingWork, WaitingQueue
from embedded_aws.runtime.role_sessions import RoleSessions
from embedded_aws.runtime.step_collector import StepCollector
from embedded_aws.runtime.step_log import Step, StepLog
from embedded_aws.runtime.timers import InterruptedWorkError, Timers, Worker
from embedded_aws.server.server import AwsServer
from embedded_aws.services.events.rules import Rules
from embedded_aws.services.glue.crawler import Crawlers
from embedded_aws.services.lambda_.asynchronous import AsynchronousInvocations
from embedded_aws.services.lambda_.event_source_mappings import QueuePollers
from embedded_aws.services.lambda_.functions import Functions
from embedded_aws.services.logs.retention import LogRetention
from embedded_aws.services.s3.lifecycle import Lifecycle
from embedded_aws.services.scheduler.schedules import Schedules

_LOOK_SECONDS = 0.2
"""How often the loop looks whether to end."""

_SUSPENDED = timedelta(minutes=1)
"""A wait of a fraction of a second that takes longer means that the computer slept."""

_WHILE_BLOCKED = timedelta(seconds=5)
"""How long the loop waits while nothing can be saved."""

_AFTER_FAILURE = timedelta(minutes=1)
"""How long a service that failed is left alone."""


class StopSignal(Protocol):
    """What tells the loop to end, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Return whether to end."""


class Simulation:
    """Runs whatever is deployed in a server.

    Args:
        server: AWS; started before `install`.
        clock: clock that `run_until` moves; started before `install`.
        folder: folder for unpacked functions; removed by `close`.
        wait_for_queries: waits until no query runs, or the function passed says to stop; returns whether one ran.
        any_python: whether functions of other versions of Python are accepted, and run in this one.
    """

    def __init__(
        self,
        server: AwsServer,
        clock: SimulatedClock,
        folder: Path,
        wait_for_queries: Callable[[Callable[[], bool]], bool],
        *,
        any_python: bool,
    ) -> None:
        self.steps = steps = StepLog(clock)
        """What happened so far."""
        self._server = server
        self._clock = clock
        self._collector = StepCollector(server, steps)
        self._installed = ExitStack()
        self._turn = threading.RLock()
        self._stop: StopSignal | None = None
        self._resting: dict[int, datetime] = {}
        self._is_blocked = False

        timers = Timers(lambda: clock.now, steps.record_failure)
        sessions = RoleSessions(server, clock)
        self._wait_for_queries = wait_for_queries
        # A query takes no simulated time: whoever sleeps until it has ended wakes when it has.
        self._functions = Functions(
            server,
            clock,
            steps,
            folder,
            any_python=any_python,
            before_time_passes=lambda: wait_for_queries(self._is_stopping),
        )
        self._asynchronous = AsynchronousInvocations(server, clock, steps, timers, sessions, self._functions)
        self._queues = QueuePollers(server, clock, steps, sessions, self._functions)
        self._rules = Rules(server, clock, steps, timers, self._functions, self._asynchronous.accept)
        self._crawlers = Crawlers(
            server, clock, steps, timers, sessions, self._rules, lambda: self._functions.in_real_time
        )
        self._schedules = Schedules(server, clock, steps, timers, sessions)
        self._lifecycle = Lifecycle(server, clock, steps)
        self._retention = LogRetention(server, clock)
        # In this order, so that what was planned earlier runs first.
        self._workers: tuple[Worker, ...] = (
            timers,
            self._lifecycle,
            self._retention,
            self._schedules,
            self._rules,
            self._crawlers,
            self._queues,
        )

        self.own: dict[str, OwnState] = {
            "timers": OwnState(timers.state, timers.restore),
            "schedules": OwnState(self._schedules.state, self._schedules.restore),
            "rules": OwnState(self._rules.state, self._rules.restore),
            "crawlers": OwnState(self._crawlers.state, self._crawlers.restore),
            "lifecycle": OwnState(self._lifecycle.state, self._lifecycle.restore),
            "functions": OwnState(self._functions.state, self._functions.restore),
        }
        """State of the services besides moto's."""

    def install(self) -> None:
        """Replace what moto only pretends to do."""
        for worker in (self._queues, self._rules, self._crawlers, self._lifecycle, self._retention):
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
        with self._turn:
            self.steps.on_step = on_step
            try:
                self._run_until(moment)
            finally:
                self.steps.on_step = None

    def advance(self, span: timedelta) -> None:
        """Let a span of simulated time pass at once, also while another thread is in `serve`."""
        with self._turn:
            self._run_until(self._clock.now + span)

    def drain(self) -> None:
        """Do everything that is due now, and everything that follows from it, without letting time pass."""
        with self._turn:
            self._drain_with_queries()

    def pending(self) -> PendingWork:
        """Return what is still to do, without waiting for what is being done."""
        with self._server.gate.reading():
            queues = [
                WaitingQueue(
                    name=queue.name,
                    waiting=queue.approximate_number_of_messages,
                    in_flight=queue.approximate_number_of_messages_not_visible,
                    delayed=queue.approximate_number_of_messages_delayed,
                )
                for queue in list(self._server.backend("sqs").queues.values())
            ]
            coming = [*self._schedules.coming(), *self._rules.coming(), *self._crawlers.coming()]
        return PendingWork(
            queues=tuple(queue for queue in queues if queue.waiting or queue.in_flight or queue.delayed),
            functions=self._functions.running,
            coming=tuple(sorted(coming, key=lambda start: (start.at, start.name))),
        )

    def serve(self, until: StopSignal, on_step: Callable[[Step], None] | None = None) -> None:
        """Do everything when it is due, while the clock ticks in real time.

        Args:
            until: ends it, within a fraction of a second unless a function is running.
            on_step: callback invoked per step, by this thread or by the one that calls `advance`.
        """
        self.steps.on_step = on_step
        self._stop = until
        changed = self._server.gate.changed
        try:
            with self._functions.real_time(until.is_set):
                while not until.is_set():
                    changed.clear()
                    with self._turn:
                        self._drain()
                        due = self._next_due()
                    if self._wait(until, changed, due):
                        self.catch_up()
        finally:
            self.steps.on_step = self._stop = None

    def resume(self) -> None:
        """Continue an account that was restored."""
        self._collector.skip()
        self.catch_up()

    def catch_up(self) -> None:
        """Let schedules that missed several firings, because nothing ran, fire only once."""
        with self._turn, self._server.gate.working():
            for worker in (self._schedules, self._rules, self._crawlers):
                worker.catch_up()
            self._server.gate.note_own()

    def _wait(self, until: StopSignal, changed: threading.Event, due: datetime | None) -> bool:
        """Wait until something is due, something changed, or the end; return whether the computer slept meanwhile."""
        before = self._clock.now
        while not until.is_set():
            now = self._clock.now
            if now - before > _SUSPENDED:
                return True
            left = (due - now).total_seconds() if due is not None else _LOOK_SECONDS
            if left <= 0 or changed.wait(min(left, _LOOK_SECONDS)):
                return False
            before = now
        return False

    def _run_until(self, moment: datetime) -> None:
        self._drain_with_queries()
        while (due := self._next_due()) is not None and due <= moment and not self._is_stopping():
            self._clock.move_to(due)
            self._drain_with_queries()
        if not self._is_stopping():
            self._clock.move_to(moment)
            self._drain_with_queries()
        self._server.gate.note_own()
        self._server.gate.settle()

    def _drain_with_queries(self) -> None:
        """Do everything that is due, and what follows from it and from the queries that run."""
        self._drain()
        while self._wait_for_queries(self._is_stopping) and not self._is_stopping():
            self._drain()

    def _drain(self) -> None:
        busy = self._can_save()
        while busy and not self._is_stopping():
            # Every worker gets its turn, even if the one before it was busy.
            ran = [self._run(number) for number in range(len(self._workers))]
            busy = any(ran)
            with self._server.gate.reading():
                self._collector.collect()
            self.steps.raise_broken()

    def _can_save(self) -> bool:
        """Return whether everything so far is saved; if not, that is recorded once, and the loop rests."""
        try:
            self._server.gate.settle()
        except DataError as error:
            if not self._is_blocked:
                self.steps.record_failure("data folder", error)
            self._is_blocked = True
            self._resting = dict.fromkeys(range(len(self._workers)), self._clock.now + _WHILE_BLOCKED)
            return False
        if self._is_blocked:
            self._is_blocked = False
            self._resting.clear()
        return True

    def _run(self, number: int) -> bool:
        """Let a worker do its work; whatever goes wrong is recorded, and the others continue."""
        resting = self._resting.get(number)
        if resting is not None and resting > self._clock.now:
            return False
        worker, gate = self._workers[number], self._server.gate
        try:
            with gate.reading():
                due = worker.next_due()
            if due is None or due > self._clock.now:
                return False
            with gate.working():
                acted = worker.run_due()
                gate.note_own()
            gate.settle()
        except (InterruptedWorkError, DataError):
            return False
        except Exception as error:  # noqa: BLE001 - no failing action ends the loop
            self._rest(number, error)
            return False
        self._resting.pop(number, None)
        return acted

    def _rest(self, number: int, error: Exception) -> datetime:
        """Record that a worker failed; return how long it is left alone."""
        self.steps.record_failure(type(self._workers[number]).__name__.lower(), error)
        until = self._resting[number] = self._clock.now + _AFTER_FAILURE
        return until

    def _next_due(self) -> datetime | None:
        dues = []
        for number, worker in enumerate(self._workers):
            resting = self._resting.get(number)
            try:
                with self._server.gate.reading():
                    due = worker.next_due()
            except Exception as error:  # noqa: BLE001 - as in _run
                if resting is None:
                    resting = self._rest(number, error)
                due = resting
            if due is not None:
                dues.append(due if resting is None else max(due, resting))
        return min(dues, default=None)

    def _is_stopping(self) -> bool:
        return self._stop is not None and self._stop.is_set()
