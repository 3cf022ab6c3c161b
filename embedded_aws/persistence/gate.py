"""Who may change the account when: a snapshot is taken only while nobody is in the middle of a change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

Part = tuple[str, ...]
"""Names a part of the account's state that is saved as a whole, such as moto's backend of a service."""


OWN_STATE: Part = ("own",)
"""Stands for everything that is saved whenever something is."""


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
        self._noting = threading.Lock()
        self._here = threading.local()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Change the account in this context; may be nested."""
        if self._is_working:
            yield
            return
        self._enter()
        try:
            yield
        finally:
            self._leave()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Let others change and save the account in this context: another thread, or a request to the server."""
        with self._changing():
            if not self._is_working:
                yield
                return
            found = self._here.touched
            self._leave()
            try:
                yield
            finally:
                self._enter()
                # Others may have saved them meanwhile, and this thread changes what it has found before.
                self._here.touched.update(found)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Ignore `touch` in this context: this thread only reads."""
        with self._changing(reads=True):
            yield

    @contextmanager
    def _changing(self, *, reads: bool = False) -> Iterator[None]:
        before, self._here.reading = getattr(self._here, "reading", False), reads
        try:
            yield
        finally:
            self._here.reading = before

    def touch(self, part: Part) -> None:
        """Note that this thread may be changing a part."""
        if self.save is None or getattr(self._here, "reading", False):
            return
        if self._is_working:
            # Noted again when this thread leaves: others may save the part before it is changed.
            self._here.touched.add(part)
        self._note({part})

    def note_own(self) -> None:
        """Note that something other than a part changed: the clock, or the services' own state."""
        if self.save is not None:
            self._note({OWN_STATE})

    def settle(self) -> None:
        """Save what was touched, by whichever thread; does nothing if that is done.

        Raises:
            DataError: it cannot be saved; the next call tries again.
        """
        if not self._touched or self._is_working or self.save is None:
            return
        with self._saving:
            if not self._touched or self.save is None:
                return
            with self._alone():
                with self._noting:
                    parts, self._touched = frozenset(self._touched), set()
                try:
                    with self.reading():
                        self.save(parts)
                except BaseException:
                    self._note(parts)
                    raise

    def _note(self, parts: Iterable[Part]) -> None:
        with self._noting:
            self._touched.update(parts)

    @property
    def _is_working(self) -> bool:
        return getattr(self._here, "working", False)

    def _enter(self) -> None:
        with self._turn:
            self._turn.wait_for(lambda: not self._exclusive)
            self._working += 1
        self._here.working, self._here.touched = True, set()

    def _leave(self) -> None:
        self._note(self._here.touched)
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
