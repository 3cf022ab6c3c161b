"""Any sequence of pages: what a list's total promises is either read or known to be missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.extract.reads.list_length import ListLength
from handlers.extract.reads.paging import MovedError, Pass, records
from handlers.extract.reads.served_records import ServedRecords, record_digest
from handlers.extract.reads.shortfall import BELIEVED_AFTER_RUNS, Shortfall, ShortRuns
from handlers.extract.spotify.client import Response
from handlers.extract.spotify.errors import SpotifyError
from handlers.streams import STREAMS

HOST = "https://api.spotify.com/v1/"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
Json = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong with one page."""

    kind: Literal["none", "early", "hole", "back", "same"]
    """`early` cuts the page and ends the list, `hole` cuts it alone, `back` begins some records too early and says so,
    `same` follows a `next` to the page before, under the next one's offset."""
    size: int


@dataclass
class ListServer:
    """A list in pages, with one fault per request."""

    size: int
    faults: list[Fault]
    totals: list[int | None]
    by_cursor: bool
    asked: list[Json] = field(default_factory=list)
    jumps: int = 0
    """Requests that did not follow a page's `next`."""
    said: int | None = None
    """The last total that was served."""

    def get(self, path: str, params: Json) -> Response:
        self.jumps += 1
        return self._page(path, {name: str(value) for name, value in params.items()}, followed=False)

    def follow(self, url: str) -> Response:
        path, _, query = url.removeprefix(HOST).partition("?")
        return self._page(path, dict(pair.split("=") for pair in query.split("&")), followed=True)

    def _page(self, path: str, params: Json, *, followed: bool) -> Response:
        number = len(self.asked)
        self.asked.append(params)
        fault = self.faults[number] if number < len(self.faults) else Fault("none", 0)
        limit = int(params["limit"])
        start = int(params.get("after" if self.by_cursor else "offset", 0))
        if fault.kind == "back":
            start = max(0, start - fault.size)
        first = max(0, start - limit) if fault.kind == "same" and followed else start
        items: list[Json] = [{"uri": f"spotify:track:{one}"} for one in range(first, min(self.size, first + limit))]
        end = start + len(items)
        if fault.kind in ("early", "hole"):
            items = items[: max(0, len(items) - fault.size)]
        position = {"after": end} if self.by_cursor else {"offset": end}
        more = end < self.size and fault.kind != "early"
        query = "&".join(f"{name}={value}" for name, value in {**params, **position}.items())
        lie = self.totals[number] if number < len(self.totals) else 0
        total = None if lie is None else max(0, self.size + lie)
        self.said = self.said if total is None else total
        page: Json = {"items": items, "next": f"{HOST}{path}?{query}" if more else None, "total": total}
        if not self.by_cursor:
            page["offset"] = start
        value = {"artists": page} if self.by_cursor else page
        return Response(value=value, path=path, params=params, extracted_at=NOW)


FAULTS = st.builds(Fault, st.sampled_from(["none", "none", "early", "hole", "back", "same"]), st.integers(1, 60))


@given(
    size=st.integers(0, 260),
    faults=st.lists(FAULTS, max_size=8),
    totals=st.lists(st.sampled_from([0, 0, 0, None, 3, -3, -1000]), max_size=8),
    by_cursor=st.booleans(),
    repeatable=st.booleans(),
)
def test_what_a_total_promises_is_read_or_missing(
    size: int, faults: list[Fault], totals: list[int | None], by_cursor: bool, repeatable: bool
) -> None:
    server = ListServer(size, faults, totals, by_cursor)
    shortfall = Shortfall()
    stream = STREAMS["followed_artists" if by_cursor else "saved_albums"]
    one_pass = Pass(repeatable=repeatable, shortfall=shortfall)
    try:
        found = [
            record.value["uri"]
            for record in records(server, stream, one_pass=one_pass)  # type: ignore[arg-type] # a stand-in for the client
        ]
    except (MovedError, SpotifyError):
        return  # No complete read either.
    lost = size - len(set(found))
    if lost and server.said is not None and server.said >= size:
        assert shortfall.is_short
    if all(lie == 0 for lie in totals):
        # No total was wrong, so the list never moved: at most one request besides the first.
        assert server.jumps <= 2
        assert shortfall.missing >= lost
        # If pages serve the right records in the wrong place, more may count as missing than is.
        assert shortfall.missing == lost or {"same", "back"} & {fault.kind for fault in faults}


@given(size=st.integers(1, 260), keep=st.integers(0, 49), page=st.integers(0, 5), by_cursor=st.booleans())
def test_page_that_ends_early_once_costs_one_request(size: int, keep: int, page: int, by_cursor: bool) -> None:
    faults = [Fault("none", 0)] * page + [Fault("early", 50 - keep)]
    server = ListServer(size, faults, [], by_cursor)
    shortfall = Shortfall()
    one_pass = Pass(shortfall=shortfall, watch_total=False)
    stream = STREAMS["followed_artists" if by_cursor else "saved_albums"]
    found = [
        record.value["uri"]
        for record in records(server, stream, one_pass=one_pass)  # type: ignore[arg-type] # a stand-in for the client
    ]
    assert found == [f"spotify:track:{number}" for number in range(size)]
    assert (shortfall.missing, server.jumps <= 2) == (0, True)


def short_runs(missing: list[int], runs: list[str]) -> list[bool]:
    """Return for consecutive runs that miss so many records whether each is short."""
    held: object = None
    found = []
    for lacking, run_id in zip(missing, runs, strict=True):
        shortfall = Shortfall(held)
        shortfall.end(100 - lacking, 100)
        found.append(shortfall.is_short)
        held = shortfall.content(run_id)
    return found


def test_list_that_misses_the_same_in_three_runs_is_accepted() -> None:
    assert BELIEVED_AFTER_RUNS == 3
    assert short_runs([2, 2, 2, 2, 2], ["a", "b", "c", "d", "e"]) == [True, True, True, False, False]
    assert short_runs([2, 2, 3, 2, 2], ["a", "b", "c", "d", "e"]) == [True] * 5
    assert short_runs([2, 2, 0, 2, 2], ["a", "b", "c", "d", "e"]) == [True, True, False, True, True]
    assert short_runs([2, 2, 2, 2, 2], ["a", "a", "a", "b", "c"]) == [True] * 5
    assert short_runs([2, 2, 2, 5, 2], ["a", "b", "c", "d", "e"]) == [True] * 5


def test_accepted_list_gets_no_further_request() -> None:
    believed = Shortfall(ShortRuns(missing=2, runs=3, run_id="run").content())
    assert not believed.spend_request(2)
    assert believed.spend_request(3)
    assert not believed.spend_request(3)


def test_list_that_claims_to_be_empty_is_compared_with_another() -> None:
    emptied = Shortfall(listed=7)
    emptied.end(0, 0)
    assert (emptied.missing, emptied.is_short) == (7, True)
    shrunk = Shortfall(listed=7)
    shrunk.end(5, 5)
    assert not shrunk.is_short


def test_restarted_read_is_counted_from_zero() -> None:
    shortfall = Shortfall()
    shortfall.skip(5)
    shortfall.end(90, 100, repeated=3)
    shortfall.begin()
    shortfall.end(100, 100)
    assert (shortfall.missing, shortfall.is_short, shortfall.repeated) == (0, False, 0)


def test_end_of_a_list_settles_what_its_pages_skipped() -> None:
    shortfall = Shortfall()
    shortfall.skip(5)
    assert shortfall.is_short
    shortfall.end(100, 100)
    assert not shortfall.is_short


@pytest.mark.parametrize(("total", "missing"), [(50, 0), (70, 20), (None, 0)])
def test_gap_between_pages_counts_if_the_total_has_room_for_it(total: int | None, missing: int) -> None:
    """Count a gap between offsets only if the total has room for it."""
    length = ListLength(0, by_cursor=False, repeats=False, served=ServedRecords())
    for position in range(50):
        length.count(position, record_digest({"uri": f"spotify:album:{position}"}))
    assert length.has_room_for(20, total) == bool(missing)


def test_record_that_comes_back_is_known_however_far_back_it_was() -> None:
    length = ListLength(0, by_cursor=False, repeats=False, served=ServedRecords())
    albums = [record_digest({"uri": f"spotify:album:{number}"}) for number in range(3000)]
    for position, album in enumerate(albums):
        assert not length.count(position, album)
    assert length.is_repeated(3000, albums[:50])
    assert length.count(3000, albums[0])
    assert (length.served, length.reach, length.repeated) == (3000, 3001, 1)


def test_served_records_are_kept_between_runs() -> None:
    served = ServedRecords()
    first, second, third = (record_digest({"uri": f"spotify:album:{number}"}) for number in (1, 2, 3))
    assert first
    assert second
    assert third
    assert not served.add(first)
    assert not served.add(second)
    kept = ServedRecords.parse(served.content())
    assert kept is not None
    assert kept.add(first)
    assert second in kept
    assert third not in kept
    assert [ServedRecords.parse(other) for other in (None, 5, "?", "YWJj")] == [None] * 4
