"""Lists that end before their total: the rest is requested once, the unit is short, the end is accepted in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from handlers.extract.spotify.errors import SpotifyError
from handlers.raw.state import Content, Slot

SHORT = "short"
"""Reason of a unit that got fewer records than its list's total; also the state's key for the count of short runs."""
ASKED = "asked"
"""The state's key for the last run that requested a unit's missing records."""
BELIEVED_AFTER_RUNS = 3
"""After this many consecutive runs with the same number of missing records the list is taken to have no more: totals
can be wrong too (https://github.com/spotify/web-api/issues/1327)."""


class ShortReadError(SpotifyError):
    """A list ended before its total, even after the rest was requested; what was read is kept, but not relied on."""

    def __init__(self) -> None:
        super().__init__("The list ended before its own total: the next run reads it again.")


@dataclass(frozen=True, kw_only=True)
class ShortRuns:
    """The latest consecutive short runs, as the state keeps them."""

    missing: int
    """Number of records that the last ones missed."""
    runs: int
    """How many runs missed that many."""
    run_id: str
    """The last run; several attempts of it count once."""
    in_a_row: int = 1
    """How many runs were short, whatever they missed."""

    def content(self) -> Content:
        """Return the form stored in the state."""
        return asdict(self)

    @classmethod
    def parse(cls, content: object) -> ShortRuns | None:
        """Parse stored content; return None for anything else."""
        if not isinstance(content, dict):
            return None
        missing, runs, run_id = (content.get(name) for name in ("missing", "runs", "run_id"))
        in_a_row = content.get("in_a_row", runs)
        if type(missing) is not int or missing < 1 or type(runs) is not int or not isinstance(run_id, str):
            return None
        return cls(missing=missing, runs=runs, run_id=run_id, in_a_row=in_a_row) if type(in_a_row) is int else None


class Shortfall:
    """The records that are missing from the lists of one unit in one run.

    A page may end a list early: `next` is null though `total` says that there is more
    (https://github.com/spotify/web-api/issues/841).

    Args:
        held: what the state says about earlier runs.
        listed: total according to another list; counts if the list itself claims to be empty.
        is_spent: whether the run has already spent its one request for the unit's missing records.
        on_request: called before that request is spent.
    """

    def __init__(
        self,
        held: object = None,
        *,
        listed: int = 0,
        is_spent: bool = False,
        on_request: Callable[[], None] = lambda: None,
    ) -> None:
        self._held = ShortRuns.parse(held)
        self._listed = listed
        self._is_spent = is_spent
        self._on_request = on_request
        self.begin()

    @classmethod
    def load(cls, slot: Slot, run_id: str, *, listed: int = 0) -> Shortfall:
        """Return the shortfall of the unit with that slot, which also records that the request was spent."""

        def mark() -> None:
            slot.update(lambda content: {**content, ASKED: run_id})

        is_spent = slot.content.get(ASKED) == run_id
        return cls(slot.content.get(SHORT), listed=listed, is_spent=is_spent, on_request=mark)

    @property
    def missing(self) -> int:
        """Number of records that the lists claimed to have and did not serve."""
        return self._ended + self._skipped

    @property
    def is_short(self) -> bool:
        """Whether anything is missing, unless enough consecutive runs ended at the same point."""
        return self._skipped > 0 or (self._ended > 0 and self._ended != self._believed)

    @property
    def is_chronic(self) -> bool:
        """Whether so many runs before this one were short that a whole read can no longer be expected."""
        return self._held is not None and self._held.in_a_row >= BELIEVED_AFTER_RUNS

    def begin(self) -> None:
        """Start counting for a new pass; the run's one request stays spent."""
        self._ended = self._skipped = 0
        self.repeated = 0
        """Records that were served more than once."""

    def expect(self, total: int | None) -> None:
        """Remember a total from before a restart; it counts if the list then claims to be empty."""
        self._listed = max(self._listed, total or 0)

    def missing_after(self, served: int, total: int | None) -> int:
        """Return how many records are missing from a list that ended after that many."""
        expected = total if total or served else self._listed
        return max(0, (expected or 0) - served)

    def spend_request(self, missing: int, *, hole: bool = False) -> bool:
        """Spend the one request per unit and run for missing records; return whether it is to be made.

        Args:
            missing: number of missing records.
            hole: whether they are between others; at the end of a list the total may be known to be wrong.
        """
        if self._is_spent or missing <= 0 or (missing == self._believed and not hole):
            return False
        self._is_spent = True
        self._on_request()
        return True

    def add_missing(self, records: int) -> None:
        """Add records that are missing by another measure than the total; ignore a negative number."""
        self._ended += max(0, records)

    def skip(self, records: int) -> None:
        """Add records in whose place others, or none, were served."""
        self._skipped += records

    def end(self, served: int, total: int | None, repeated: int = 0) -> None:
        """End one list, whose total settles what its pages skipped.

        Args:
            served: distinct records that it served.
            total: its last total.
            repeated: repeated records beyond these.
        """
        self._ended += self.missing_after(served, total)
        self._skipped = 0
        self.repeated += repeated

    def content(self, run_id: str) -> Content | None:
        """Return what the state is to hold after the run; None for nothing."""
        held = self._held
        if not self._ended:
            return None
        if held is None:
            return ShortRuns(missing=self._ended, runs=1, run_id=run_id).content()
        if held.missing == self._ended and (held.run_id == run_id or self._ended == self._believed):
            return held.content()
        return ShortRuns(
            missing=self._ended,
            runs=held.runs + 1 if held.missing == self._ended else 1,
            run_id=run_id,
            in_a_row=held.in_a_row + (held.run_id != run_id),
        ).content()

    def save(self, slot: Slot, run_id: str) -> None:
        """Store `content` in the slot if it differs."""
        content = self.content(run_id)
        if slot.content.get(SHORT) != content:
            slot.update(lambda held: with_short_runs(held, content))

    @property
    def _believed(self) -> int:
        return self._held.missing if self._held and self._held.runs >= BELIEVED_AFTER_RUNS else 0


def with_short_runs(content: Content, short_runs: Content | None) -> Content:
    """Return the state with the latest count of short runs, or without one."""
    rest = {name: value for name, value in content.items() if name != SHORT}
    return {**rest, SHORT: short_runs} if short_runs else rest
