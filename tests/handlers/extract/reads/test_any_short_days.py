"""Any pages on any days: a complete unit has everything that its total promised."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from handlers.extract.reads.record_keys import record_key
from handlers.extract.reads.shortfall import BELIEVED_AFTER_RUNS
from tests.handlers.extract.fake_spotify import Json, Reply, ScriptedReply, artist, playlist, saved_track, track
from tests.handlers.extract.stage import START, Stage, unit

DAY = timedelta(days=1)
LOCKED = Reply(429, {"error": {"status": 429, "message": "Too many requests"}}, {"Retry-After": "3600"})
Kind = Literal["none", "early", "emptied", "hole", "middle", "another", "later", "lie", "locked"]


@dataclass(frozen=True)
class Fault:
    """What is wrong with one response."""

    kind: Kind
    """`early` cuts the page and ends the list, `emptied` says that nothing is there, `hole` cuts the page alone,
    `middle` leaves out what is in the middle of it, `another` serves an earlier page in its place and `later` one that
    begins some records later, `lie` only names a wrong total, `locked` ends the run."""
    size: int = 30
    lie: int = 0
    """Added to the total."""


@dataclass(frozen=True)
class Day:
    """Changes to the list before a run, and faults of the run's responses in order."""

    added: int = 0
    removed: int = 0
    faults: tuple[Fault, ...] = ()


NONE, EARLY = Fault("none"), Fault("early")


@dataclass
class Library:
    """A list of the fake, and its total in the latest run."""

    stage: Stage
    stream: str
    size: int
    rows: list[Json] = field(default_factory=list)
    said: int | None = None
    made: int = 0
    versions: int = 0

    def __post_init__(self) -> None:
        self.path = PATHS[self.stream]
        self.change(Day(added=self.size))

    def change(self, day: Day) -> None:
        """Add items in front if the stream is newest first, otherwise at the end."""
        del self.rows[len(self.rows) // 2 : len(self.rows) // 2 + day.removed]
        for _ in range(day.added):
            self.made += 1
            one = MADE[self.stream](self.made)
            if self.stream == "saved_tracks":
                self.rows.insert(0, one)
            else:
                self.rows.append(one)
        if day.added or day.removed:
            self.versions += 1
        self.stage.spotify.lists[self.path] = self.rows
        if self.stream == "playlist_items":
            listed = playlist("P1", f"s{self.versions}", owner=self.stage.spotify.profile["id"])
            listed["items"] = {"total": len(self.rows)}
            self.stage.spotify.lists["me/playlists"] = [listed]

    def serve(self, faults: tuple[Fault, ...]) -> None:
        self.said = None
        self.stage.spotify.faults.clear()
        # Responses without a fault record the total too.
        answers = [self._answer(fault) for fault in (*faults, *[NONE] * 60)]
        self.stage.spotify.fault(self.path, *answers)

    def _answer(self, fault: Fault) -> ScriptedReply:
        if fault.kind == "locked":
            return LOCKED

        def change(answer: Json) -> Json:
            page = answer.get("artists", answer)
            items = page["items"]
            if fault.kind in ("early", "hole"):
                page["items"] = items[: max(0, len(items) - fault.size)]
            if fault.kind in ("early", "emptied"):
                page["next"] = None
            if fault.kind == "another" and page["limit"] <= page.get("offset", 0) and page["limit"] == PAGE:
                start = page["offset"] - PAGE * (1 + fault.size % (page["offset"] // PAGE))
                page["items"] = self.rows[start : start + PAGE]
            if fault.kind == "later" and "offset" in page:
                # Fewer could be duplicates in a playlist.
                start = page["offset"] + max(10, fault.size)
                page["items"] = self.rows[start : start + page["limit"]]
            if fault.kind == "middle":
                page["items"] = items[:5] + items[5 + fault.size :]
            page["total"] = max(0, page["total"] + fault.lie)
            if fault.kind == "emptied":
                page.update(items=[], total=0)
            elif page["items"] or page["total"] or self.said is None:
                self.said = page["total"]
            return answer

        return change


PAGE = 50
PATHS = {
    "saved_tracks": "me/tracks",
    "saved_albums": "me/albums",
    "followed_artists": "me/following",
    "playlist_items": "playlists/P1/items",
}
"""Incremental by offset, a snapshot by offset, a snapshot by cursor, and a list that may have duplicates."""


def _album(number: int) -> Json:
    return {"added_at": "2026-01-01T00:00:00Z", "album": {"uri": f"spotify:album:{number}", "name": f"Album {number}"}}


def _entry(number: int) -> Json:
    # Some are the same track, added on another day or at the same moment.
    same = number % 20 in (0, 1)
    return {"added_at": f"2026-01-{1 + number // 50 % 28:02d}T00:00:00Z", "item": track(0 if same else number)}


def _saved_track(number: int) -> Json:
    return saved_track(number, f"2026-{1 + number // 1200:02d}-01T{number // 60 % 20:02d}:{number % 60:02d}:00Z")


MADE = {
    "saved_tracks": _saved_track,
    "saved_albums": _album,
    "followed_artists": artist,
    "playlist_items": _entry,
}

PHASES = (Phase.explicit, Phase.generate)
"""An example takes seconds, so shrinking one would take an hour."""
LIES = st.sampled_from([0, 0, 0, 0, 0, 2, -2, 7])
FAULTS = st.builds(
    Fault,
    st.sampled_from(
        ["none", "none", "none", "early", "emptied", "hole", "middle", "another", "later", "lie", "locked"]
    ),
    st.integers(1, 60),
    LIES,
)
DAYS = st.lists(
    st.builds(
        Day,
        st.sampled_from([0, 0, 1, 20, 70]),
        st.sampled_from([0, 0, 0, 3, 60]),
        st.lists(FAULTS, max_size=7).map(tuple),
    ),
    min_size=1,
    max_size=6,
)


def check(stage: Stage, stream: str, size: int, days: list[Day]) -> None:
    """Run on each day, and compare complete reads with the list."""
    stage.log_in_as_new_account()
    library = Library(stage, stream, size)
    short_in_row = 0
    for number, day in enumerate(days):
        if number:
            library.change(day)
        library.serve(day.faults)
        asked = len(stage.spotify.requests)
        row = _run(stage, stream)
        _check_requests(stage.spotify.requests[asked:], library, day)
        if row["reason"] == "short":
            short_in_row += 1
            continue
        believed, short_in_row = short_in_row >= BELIEVED_AFTER_RUNS, 0
        if (
            row["status"] not in ("complete", "unchanged")
            or believed
            or _growth_is_unknown(row, stream, days[: number + 1])
        ):
            continue
        if (library.said or 0) >= len(library.rows):
            rows = Counter(record_key(one) for one in stage.records(row["read_keys"]))
            assert not Counter(map(record_key, library.rows)) - rows, (number, row)


def _growth_is_unknown(row: Json, stream: str, days: list[Day]) -> bool:
    """Return whether removals or wrong totals hide how many records are above the watermark.

    Pages that skip some of them, under the right offsets, then look like any others.
    """
    skipping = any(fault.kind in ("middle", "later") for day in days for fault in day.faults)
    lying = any(fault.lie or fault.kind == "emptied" for day in days for fault in day.faults)
    increment = stream == "saved_tracks" and (row["mode"] == "incremental" or row["status"] == "unchanged")
    return increment and skipping and (lying or any(day.removed for day in days))


def _run(stage: Stage, stream: str) -> Json:
    # Locks belong to the app and outlast an account, so no day may come twice.
    at = START + len(stage.keys("runs/")) * DAY
    if stream != "playlist_items":
        return stage.read(stream, at)
    manifest = stage.run("manual", at, streams=["playlists", stream])
    return unit(manifest, stream, "P1")


def _check_requests(requests: list[tuple[str, dict[str, str]]], library: Library, day: Day) -> None:
    """Require that an unchanged, unlocked list costs little more than its pages."""
    if any(fault.lie or fault.kind in ("locked", "emptied") for fault in day.faults):
        return
    asked = [params for path, params in requests if path == library.path]
    pages = -(-max(1, len(library.rows)) // 50)
    # One retry, and for an interrupted read the search for its position and for new items.
    assert len(asked) <= pages + 6


HOLE, ANOTHER, LOCK = Fault("hole"), Fault("another"), Fault("locked")
LATER_PAGE_EMPTIED = [Day(faults=(NONE, Fault("emptied")))]
HOLE_THEN_RESUMED = [Day(faults=(NONE, HOLE, NONE, EARLY, LOCK)), Day()]
ANOTHER_WHEN_RESUMED = [
    Day(faults=(NONE, NONE, LOCK)),
    Day(faults=(NONE, Fault("another", 1))),
]
REPEATED_ABOVE_THE_WATERMARK = [Day(), Day(added=170, faults=(NONE, ANOTHER, ANOTHER)), Day()]
FAR_BACK = [Day(faults=(NONE, NONE, NONE, Fault("another", 2), Fault("another", 2)))]
EMPTIED_AFTER_A_CHANGE = [Day(faults=(Fault("early", 38, -2), Fault("lie"), Fault("emptied", lie=2)))]
LATER_PAGE_OF_AN_INCREMENT = [Day(), Day(added=170, faults=(NONE, Fault("later", 50)))]
LEFT_OUT_OF_AN_INCREMENT = [Day(), Day(added=30, faults=(Fault("middle", 20),))]
SHRUNK_WHILE_RESUMED = [Day(faults=(NONE, NONE, LOCK)), Day(removed=60, faults=(NONE, EARLY, EARLY)), Day()]


def any_days(test: Any) -> Any:
    """Sizes and days of all kinds, and those that once failed."""
    for days in (
        LATER_PAGE_EMPTIED,
        HOLE_THEN_RESUMED,
        ANOTHER_WHEN_RESUMED,
        REPEATED_ABOVE_THE_WATERMARK,
        FAR_BACK,
        EMPTIED_AFTER_A_CHANGE,
        LATER_PAGE_OF_AN_INCREMENT,
        LEFT_OUT_OF_AN_INCREMENT,
        SHRUNK_WHILE_RESUMED,
    ):
        test = example(size=230, days=days)(test)
    return given(size=st.integers(0, 260), days=DAYS)(test)


@pytest.mark.slow
@pytest.mark.parametrize("stream", PATHS)
@settings(max_examples=2, phases=PHASES, derandomize=True)
@any_days
def test_complete_unit_has_everything(stage: Stage, stream: str, size: int, days: list[Day]) -> None:
    check(stage, stream, size, days)


@pytest.mark.slow
@pytest.mark.parametrize("stream", PATHS)
# The same examples each time: a wrong total on the last page can hide a hole, which random examples sometimes meet.
@settings(max_examples=100, phases=PHASES, derandomize=True)
@any_days
def test_complete_unit_has_everything_at_length(stage: Stage, stream: str, size: int, days: list[Day]) -> None:
    check(stage, stream, size, days)
