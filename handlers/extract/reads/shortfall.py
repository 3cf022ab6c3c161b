"""Lists that end before the length they name: asked for the rest once, noted as short, believed after some runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from handlers.extract.spotify.errors import SpotifyError
from handlers.raw.state import Content, Slot

SHORT = "short"
"""Reason of a unit that got fewer records than its list said it had, and the name under which state counts the runs."""
ASKED = "asked"
"""Name under which state keeps the last run that asked for what a unit lacked."""
BELIEVED_AFTER_RUNS = 3
"""After so many short runs in a row that lacked the same number of records, the list is taken to have no more: totals
are wrong too (https://github.com/spotify/web-api/issues/1327)."""


class ShortReadError(SpotifyError):
    """A list ended before its total, even when asked for the rest: what was read is kept, and nothing rests on it."""

    def __init__(self) -> None:
        super().__init__("The list ended before its own total: the next run reads it again.")


@dataclass(frozen=True)
class ShortRuns:
    """The latest short runs in a row, as state keeps them."""

    missing: int
    """Records that each of the last ones lacked."""
    runs: int
    """How many lacked that many."""
    run_id: str
    """The last of them, which counts once, however often it is attempted."""
    in_a_row: int = 1
    """How many were short, whatever they lacked."""

    def content(self) -> Content:
        """The form in which state holds it."""
        return asdict(self)

    @classmethod
    def parse(cls, content: object) -> ShortRuns | None:
        """What state holds; None where it is something else."""
        if not isinstance(content, dict):
            return None
        missing, runs, run_id = (content.get(name) for name in ("missing", "runs", "run_id"))
        in_a_row = content.get("in_a_row", runs)
        if type(missing) is not int or missing < 1 or type(runs) is not int or not isinstance(run_id, str):
            return None
        return cls(missing, runs, run_id, in_a_row) if type(in_a_row) is int else None


class Shortfall:
    """What the lists of one unit lack in one run.

    A page may end a list early: `next` is null though `total` says that more is there
    (https://github.com/spotify/web-api/issues/841).

    Args:
        held: what state says of earlier runs.
        listed: how many records another list says there are; counts where the list itself says that it is empty.
        asked: whether the run has asked for what the unit lacks already.
        on_asking: called before the run asks.
    """

    def __init__(
        self,
        held: object = None,
        *,
        listed: int = 0,
        asked: bool = False,
        on_asking: Callable[[], None] = lambda: None,
    ) -> None:
        self._held = ShortRuns.parse(held)
        self._listed = listed
        self._asked = asked
        self._on_asking = on_asking
        self.begin()

    @classmethod
    def of(cls, slot: Slot, run_id: str, *, listed: int = 0) -> Shortfall:
        """The shortfall of a unit whose state is in a slot, where the run's one question is noted too."""

        def note() -> None:
            slot.update(lambda content: {**content, ASKED: run_id})

        return cls(slot.content.get(SHORT), listed=listed, asked=slot.content.get(ASKED) == run_id, on_asking=note)

    @property
    def missing(self) -> int:
        """Records that the lists said they had and did not serve."""
        return self._ended + self._skipped

    @property
    def is_short(self) -> bool:
        """Whether anything is missing, unless enough runs in a row ended just as early."""
        return self._skipped > 0 or (self._ended > 0 and self._ended != self._believed)

    @property
    def is_chronic(self) -> bool:
        """Whether so many runs before this one were short that a whole read is no longer to be expected."""
        return self._held is not None and self._held.in_a_row >= BELIEVED_AFTER_RUNS

    def begin(self) -> None:
        """Count from nothing: the lists are read anew. The one question of the run stays spent."""
        self._ended = self._skipped = 0
        self.repeated = 0
        """Records that were served more than once."""

    def expect(self, total: int | None) -> None:
        """Note a length that the list named before it was read anew: should it then be empty, that counts."""
        self._listed = max(self._listed, total or 0)

    def lacks(self, served: int, total: int | None) -> int:
        """How many records a list lacks that ended after so many."""
        expected = total if total or served else self._listed
        return max(0, (expected or 0) - served)

    def spend_request(self, lacking: int, *, hole: bool = False) -> bool:
        """Whether to ask for what is lacking, which counts as having asked: at most once a unit and run.

        Args:
            lacking: how many records.
            hole: whether they lie between others; at the end of a list a total may be believed to be wrong.
        """
        if self._asked or lacking <= 0 or (lacking == self._believed and not hole):
            return False
        self._asked = True
        self._on_asking()
        return True

    def lack(self, records: int) -> None:
        """Note records that are missing by another measure than the length of a list; fewer than one are none."""
        self._ended += max(0, records)

    def skip(self, records: int) -> None:
        """Note that other records, or none, were served in the place of some."""
        self._skipped += records

    def end(self, served: int, total: int | None, repeated: int = 0) -> None:
        """Note the end of one list, which settles what its pages skipped.

        Args:
            served: different records that it served.
            total: the last length that it named.
            repeated: records that it served beyond these.
        """
        self._ended += self.lacks(served, total)
        self._skipped = 0
        self.repeated += repeated

    def content(self, run_id: str) -> Content | None:
        """What state is to hold after the run; None: nothing."""
        held = self._held
        if not self._ended:
            return None
        if held is None:
            return ShortRuns(self._ended, 1, run_id).content()
        in_a_row = held.in_a_row + (held.run_id != run_id)
        if held.missing != self._ended:
            return ShortRuns(self._ended, 1, run_id, in_a_row).content()
        if held.run_id == run_id or self._ended == self._believed:
            return held.content()
        return ShortRuns(self._ended, held.runs + 1, run_id, in_a_row).content()

    @property
    def _believed(self) -> int:
        return self._held.missing if self._held and self._held.runs >= BELIEVED_AFTER_RUNS else 0


def with_short_runs(content: Content, short_runs: Content | None) -> Content:
    """State with the latest count of short runs, or without one."""
    rest = {name: value for name, value in content.items() if name != SHORT}
    return {**rest, SHORT: short_runs} if short_runs else rest
