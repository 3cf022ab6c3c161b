"""Who may change the account when: a snapshot is taken only while nobody is in the middle of a change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Part = tuple[str, ...]
"""Names a part of the account's state that is saved as a whole, such as moto's backend of a service."""


class Gate:
    """Lets threads change the account, and saves what they changed.

    Whoever changes the account does so within `working`, notes which parts with `touch`, and calls `settle` before
    telling anyone. Whoever waits meanwhile for something that needs the gate, such as a function or a response, does
    so within `waiting`.
    """

    def __init__(self) -> None:
        self.save: Callable[[frozenset[Part]], None] | None = None
        """Saves parts; called while no other thread is working. None if nothing is kept."""
        self.changed = threading.Event()
        """Set after each change, for the event loop."""
        self._turn = threading.Condition()
        self._working = 0
        self._exclusive = False
        self._saving = threading.Lock()
        self._touched: set[Part] = set()
        self._here = threading.local()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Change the account in this context; may be nested."""
        if self._depth:
            yield
            return
        self._enter()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let others change and save the account in this context; has no effect outside `working`."""
        if not self._depth:
            yield
            return
        self._leave()
        try:
            yield
        finally:
            self._enter()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Ignore `touch` in this context: this thread only reads."""
        before, self._here.reading = getattr(self._here, "reading", False), True
        try:
            yield
        finally:
            self._here.reading = before

    def touch(self, part: Part) -> None:
        """Note that this thread may be changing a part."""
        if self.save is None or getattr(self._here, "reading", False):
            return
        if self._depth:
            # Noted again when this thread leaves: others may save the part before it is changed.
            self._here.touched.add(part)
        self._touched.add(part)

    def settle(self) -> None:
        """Save what was touched, by whichever thread; does nothing if that is done.

        Raises:
            DataError: it cannot be saved; the next call tries again.
        """
        if not self._touched or self._depth or self.save is None:
            return
        with self._saving:
            if not self._touched or self.save is None:
                return
            with self._alone():
                parts, self._touched = frozenset(self._touched), set()
                try:
                    self.save(parts)
                except BaseException:
                    self._touched |= parts
                    raise

    @property
    def _depth(self) -> bool:
        return getattr(self._here, "working", False)

    def _enter(self) -> None:
        with self._turn:
            self._turn.wait_for(lambda: not self._exclusive)
            self._working += 1
        self._here.working, self._here.touched = True, set()

    def _leave(self) -> None:
        self._touched |= self._here.touched
        self._here.working = False
        with self._turn:
            self._working -= 1
            self._turn.notify_all()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._turn:
            self._exclusive = True
            self._turn.wait_for(lambda: self._working == 0)
        try:
            yield
        finally:
            with self._turn:
                self._exclusive = False
                self._turn.notify_all()
