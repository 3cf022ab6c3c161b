"""From pages to records: driven by `next` and by nothing else, and resumed behind a record that was read before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from handlers.extract.reads.list_length import ListLength
from handlers.extract.reads.record_keys import record_key
from handlers.extract.reads.served_records import ServedRecords
from handlers.extract.reads.shortfall import Shortfall
from handlers.extract.spotify.client import Response, SpotifyClient
from handlers.extract.spotify.errors import MalformedResponseError, NotFoundError, RefusedError
from handlers.streams import Stream

REPEATABLE_PAGES = 20
"""A list of at most so many pages is read again from its begin where it changes meanwhile; in a longer one the place is
looked for where the pass stood."""
PAGES_ON = 10
"""How many pages further on a pass looks for the record that it read last."""
_OFFSET_DIGITS = 18
"""Of an offset in a URL; Python refuses to read numbers of thousands of digits."""
_SEARCHES = 10
"""How often a pass looks for its place, before it takes a list that never rests as it is."""


class MovedError(Exception):
    """The list is not the one that the pass began with: its records do not fit together."""


@dataclass(frozen=True)
class Cursor:
    """Where a pass over a list stands: behind which record, and which request served that."""

    position: int
    """Of the next record, from 0."""
    last: str
    """The identity of the record before it."""
    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """The form in which state holds it."""
        return {"position": self.position, "last": self.last, "path": self.path, "params": dict(self.params)}

    @classmethod
    def parse(cls, content: object) -> Cursor | None:
        """What state holds; None where it is something else."""
        if not isinstance(content, dict):
            return None
        position, last, path, params = (content.get(name) for name in ("position", "last", "path", "params"))
        if (
            type(position) is not int
            or position < 1
            or not isinstance(last, str)
            or not isinstance(path, str)
            or not isinstance(params, dict)
            or not all(isinstance(text, str) for pair in params.items() for text in pair)
        ):
            return None
        return cls(position, last, path, params)


@dataclass(frozen=True)
class Record:
    """One element of a page, or the one answer of a stream without pages."""

    value: Any
    """As Spotify sent it; also null."""
    position: int
    """Cursor in the whole list, from 0."""
    answer: Response
    """Where it was served."""

    @property
    def place(self) -> Cursor:
        """The place behind this record."""
        return Cursor(self.position + 1, record_key(self.value), self.answer.path, self.answer.params)


class Pass:
    """One pass over a list, of which each page names the length: what goes meanwhile moves others past the reader.

    Args:
        repeatable: whether another pass may follow; the last one takes a list that moves as it is.
        shortfall: notes what the list lacks of its length; without one nothing does.
        served: what an earlier run was served that began the pass.
    """

    def __init__(
        self, *, repeatable: bool, shortfall: Shortfall | None = None, served: ServedRecords | None = None
    ) -> None:
        self.repeatable = repeatable
        self.shortfall = shortfall
        self.served = served or ServedRecords()
        self._total: int | None = None

    @property
    def total(self) -> int | None:
        """The last length that a page named."""
        return self._total

    def moved(self, total: object) -> bool:
        """Note the length that a page names, if it names one; tells whether it is another than before."""
        if type(total) is not int:
            return False
        before, self._total = self._total, total
        return before is not None and before != total


def records(
    client: SpotifyClient,
    stream: Stream,
    unit: str = "",
    *,
    one_pass: Pass | None = None,
    shortfall: Shortfall | None = None,
    served: ServedRecords | None = None,
    behind: Cursor | None = None,
    params: Mapping[str, str] | None = None,
) -> Iterator[Record]:
    """Every record of a stream, page after page.

    Args:
        client: what asks.
        stream: its path, page size and parameters are used.
        unit: stands for `{unit}` in the path.
        one_pass: watches the length of the list; without it nothing does. It brings `shortfall` and `served`.
        shortfall: notes what the list lacks of its length, and has it asked for once.
        served: what the list served up to `behind`; takes what it serves after that.
        behind: go on behind this record instead of beginning with the first.
        params: more parameters of the first request.

    Raises:
        SpotifyError: a request failed, or an answer has no such shape or leads in a circle.
        MovedError: the list changed so that the pass is to begin again; never in a pass that is not repeatable, unless
            `behind` is gone.
    """
    if stream.paging == "none":
        answer = client.get_cached(stream.path)
        if not isinstance(answer.value, dict):
            raise MalformedResponseError(
                f"Spotify's answer for {stream.name} is no object: the next run reads it again."
            )
        yield Record(answer.value, 0, answer)
        return
    if one_pass:
        shortfall, served = one_pass.shortfall, one_pass.served
    listing = _List(client, stream, unit, {**dict(stream.params), **(params or {})})
    try:
        page: _Page | None = listing.behind(behind) if behind else listing.first()
        # Behind a record that was read before, the list goes on wherever that stands by now.
        start = page.position(behind.position) if page and behind else 0
        reader = _Reader(client, listing, stream, one_pass, shortfall, served or ServedRecords(), behind, start)
        while page:
            page = reader.asked_again(reader.placed(page))
            yield from reader.skipped_before(page)
            yield from reader.served(page)
            page = reader.after(page)
    except MovedError:
        if shortfall:
            shortfall.expect(listing.total)
        raise


class _Reader:
    """Where one pass over the pages of a list stands."""

    def __init__(
        self,
        client: SpotifyClient,
        listing: _List,
        stream: Stream,
        one_pass: Pass | None,
        shortfall: Shortfall | None,
        served: ServedRecords,
        behind: Cursor | None,
        start: int,
    ) -> None:
        self._client = client
        self._listing = listing
        self._stream = stream
        self._pass = one_pass
        self._shortfall = shortfall
        self._behind = behind
        self._record: Record | None = None
        self._position = start
        self._length = ListLength(
            start, by_cursor=stream.paging == "cursor", repeats=stream.mode == "per_playlist", served=served
        )
        self._followed: set[str] = set()
        self._pages = 0
        self._searches = 0

    def placed(self, page: _Page) -> _Page:
        """The page, or the one that goes on where the pass stands in a list that has changed.

        Raises:
            MovedError: the pass is to begin again.
            SpotifyError: a request failed.
        """
        self._pages += 1
        one_pass = self._pass
        before = one_pass.total if one_pass else None
        if one_pass is None or not one_pass.moved(page.total) or (last := self._last) is None:
            return page
        may_restart = self._stream.paging == "cursor" or self._pages <= REPEATABLE_PAGES
        if one_pass.repeatable and may_restart and not self._behind:
            raise MovedError
        if self._stream.paging == "cursor" or self._searches == _SEARCHES:
            return page
        self._searches += 1
        self._followed.clear()
        found = self._listing.found_again(last, page, repeatable=one_pass.repeatable)
        if found is not page:
            grown = page.total - before if type(page.total) is int and before is not None else 0
            skipped = self._length.jump(found.position(self._position), grown)
            if self._shortfall:
                self._shortfall.skip(skipped)
        return found

    def asked_again(self, page: _Page) -> _Page:
        """The page, or what Spotify serves in its place when one that repeats others is asked for again.

        Raises:
            MovedError: as `placed`.
            SpotifyError: a request failed.
        """
        if not self._shortfall or not page.is_whole:
            return page
        if not self._length.is_repeated(page.position(self._position), page.items):
            return page
        if not self._length.counts(len(page.items), self._listing.total) or not self._shortfall.spend_request(
            len(page.items)
        ):
            return page
        again = self._listing.again(page)
        return self.placed(again) if again else page

    def skipped_before(self, page: _Page) -> Iterator[Record]:
        """What lies between the pages before and this one, if it does not begin where they ended.

        Raises:
            SpotifyError: a request failed.
        """
        length = self._length
        gap = length.gap_before(page.position(length.reach))
        if not gap:
            return
        is_counted = length.counts(gap + len(page.items), self._listing.total)
        if is_counted and self._shortfall and self._shortfall.spend_request(gap, hole=True):
            if part := self._listing.part(length.reach, gap):
                yield from self._records(part.items[:gap], length.reach, part.answer)
            gap = length.gap_before(page.position(length.reach))
        if is_counted and self._shortfall:
            self._shortfall.skip(gap)
        length.skip(gap)

    def served(self, page: _Page) -> Iterator[Record]:
        """The records of a page."""
        yield from self._records(page.items, page.position(self._position), page.answer)

    def after(self, page: _Page) -> _Page | None:
        """The next page; None at the end of the list.

        Raises:
            SpotifyError: a request failed, or the pages lead in a circle.
        """
        if page.following is None:
            return self._rest(page)
        if page.following in self._followed or page.leads_to_itself:
            raise MalformedResponseError(
                f"Spotify's pages of {self._stream.name} lead in a circle: the next run reads it again."
            )
        self._followed.add(page.following)
        return self._listing.page(self._client.follow(page.following))

    def _rest(self, page: _Page) -> _Page | None:
        """What a list that ended early has behind its end, asked for once."""
        shortfall, length = self._shortfall, self._length
        if shortfall is None:
            return None
        if shortfall.spend_request(shortfall.lacks(length.served, self._listing.total)):
            self._position = length.reach
            self._followed.clear()
            if rest := self._listing.rest(page, length.reach, self._last):
                return rest
        shortfall.end(length.served, self._listing.total, length.repeated)
        return None

    def _records(self, items: list[Any], start: int, answer: Response) -> Iterator[Record]:
        self._position = start
        self._length.begin_page(start, items)
        for item in items:
            record = Record(item, self._position, answer)
            self._position += 1
            self._record = record
            if self._length.serve(record.position, item) and self._shortfall:
                self._shortfall.skip(1)
            yield record

    @property
    def _last(self) -> Cursor | None:
        """The place behind the latest record of this pass or of the one that it resumes."""
        return self._record.place if self._record else self._behind


def first_page(client: SpotifyClient, stream: Stream) -> list[Record]:
    """The records of the first page alone.

    Raises:
        SpotifyError: the request failed, or the answer has no such shape.
    """
    page = _List(client, stream, "", dict(stream.params)).first()
    return [Record(item, index, page.answer) for index, item in enumerate(page.items)]


@dataclass(frozen=True)
class _Page:
    """What of a page is still to be read."""

    answer: Response
    items: list[Any]
    offset: int | None
    """Of the first of `items`; None where the page names none."""
    total: object
    following: str | None
    is_whole: bool = True
    """Whether `items` are all that was served."""

    def position(self, counted: int) -> int:
        return counted if self.offset is None else self.offset

    @property
    def leads_to_itself(self) -> bool:
        if self.following is None:
            return False
        try:
            parts = urlsplit(self.following)
        except ValueError:
            return False  # Nor does it lead anywhere else.
        first = {"offset": "0"}
        return parts.path.endswith(f"/{self.answer.path}") and (
            first | dict(parse_qsl(parts.query)) == first | dict(self.answer.params)
        )

    def behind(self, last: str, position: int) -> _Page | None:
        """The rest of the page behind the record that was read last; of several the one nearest to its old place."""
        start = self.offset or 0
        found = [index for index, item in enumerate(self.items) if record_key(item) == last]
        if not found:
            return None
        index = min(found, key=lambda index: abs(start + index - position)) + 1
        offset = None if self.offset is None else self.offset + index
        return replace(self, items=self.items[index:], offset=offset, is_whole=False)


class _List:
    """One list of the Web API."""

    def __init__(self, client: SpotifyClient, stream: Stream, unit: str, params: Mapping[str, str]) -> None:
        self._client = client
        self._stream = stream
        self._path = stream.path.format(unit=unit)
        self._params: dict[str, str | int] = {"limit": stream.page_size, **params}
        self.total: int | None = None
        """The last length that a page named."""

    def first(self) -> _Page:
        return self.page(self._client.get(self._path, self._params))

    def behind(self, place: Cursor) -> _Page:
        """The page on which a pass goes on that was cut off.

        Raises:
            MovedError: the record that was read last is gone, or Spotify no longer takes the place.
        """
        try:
            return self._found(place) if self._stream.paging == "offset" else self._found_by_cursor(place)
        except (NotFoundError, RefusedError) as error:
            raise MovedError from error

    def _found_by_cursor(self, place: Cursor) -> _Page:
        page = self.page(self._client.get(place.path, dict(place.params)))
        rest = page.behind(place.last, place.position)
        if rest is None:
            raise MovedError
        # A page by cursor names no offset.
        return replace(rest, offset=place.position)

    def part(self, offset: int, size: int) -> _Page | None:
        """The page of so many records from an offset on; None where Spotify has none."""
        return self._asked(self._path, {**self._params, "limit": min(size, self._stream.page_size), "offset": offset})

    def rest(self, page: _Page, reach: int, last: Cursor | None) -> _Page | None:
        """What lies behind the last page of a list that ended early; None where Spotify has nothing."""
        if self._stream.paging == "offset":
            return self._asked(self._path, {**self._params, "offset": reach})
        again = self.again(page)
        if again is None:
            return None
        rest = again.behind(last.last, last.position) if last else None
        if rest is None and page.items:
            return replace(again, items=[], following=None)
        return rest or again

    def again(self, page: _Page) -> _Page | None:
        """The answer to the same request; None where Spotify has none."""
        return self._asked(page.answer.path, page.answer.params)

    def _asked(self, path: str, params: Mapping[str, str | int]) -> _Page | None:
        """A page that may not be there."""
        with suppress(MalformedResponseError, NotFoundError, RefusedError):
            return self.page(self._client.get(path, dict(params)))
        return None

    def found_again(self, place: Cursor, page: _Page, *, repeatable: bool) -> _Page:
        """As `behind`; a pass that is not repeatable goes on with the page at hand where the record is gone."""
        try:
            return self._found(place)
        except MovedError:
            if repeatable:
                raise
            return page

    def _found(self, place: Cursor) -> _Page:
        """Look where the record was, then a page back (others are gone), then further on (others came before it)."""
        at, size = place.position - 1, self._stream.page_size
        ahead = [at + size * number for number in range(1, PAGES_ON + 1)]
        ended = False
        for offset in (at, *([max(0, at - size)] if at else []), *ahead):
            if ended and offset > at:
                break
            page = self._at(offset)
            if rest := self._confirmed(page.behind(place.last, at), place):
                return rest
            ended = ended or (offset >= at and page.following is None)
        raise MovedError

    def _confirmed(self, rest: _Page | None, place: Cursor) -> _Page | None:
        """What lies behind a record; where that has moved, only if it can be read at its new position too.

        A page that is served in another's place would otherwise stand for all that lies before the record in it.
        """
        if rest is None or rest.position(place.position) == place.position:
            return rest
        if self._stream.mode == "per_playlist":
            return None  # Nothing moves within one version; this is another entry for the same thing.
        position = rest.position(place.position)
        again = self._at(position - 1).behind(place.last, position - 1)
        return again if again and again.position(position) == position else None

    def _at(self, offset: int) -> _Page:
        return self.page(self._client.get(self._path, {**self._params, "offset": offset}))

    def page(self, answer: Response) -> _Page:
        """Raises `MalformedResponseError` where the answer is no page."""
        name = self._stream.name
        page = answer.value
        if self._stream.page_in and isinstance(page, dict):
            page = page.get(self._stream.page_in)
        items = page.get("items") if isinstance(page, dict) else None
        if not isinstance(items, list):
            raise MalformedResponseError(f"Spotify's page of {name} has no items: the next run reads it again.")
        offset, following = page.get("offset"), page.get("next")
        if following is not None and not isinstance(following, str):
            raise MalformedResponseError(
                f"Spotify's page of {name} has an invalid `next`: the next run reads it again."
            )
        named = offset if type(offset) is int and offset >= 0 else None
        total = page.get("total")
        # One that is emptied says nothing of a list that has had a length.
        if type(total) is int and (items or total or self.total is None):
            self.total = total
        asked = answer.params.get("offset", "")
        if named is None and self._stream.paging == "offset" and asked.isdecimal() and len(asked) <= _OFFSET_DIGITS:
            named = int(asked)
        return _Page(answer, items, named, total, following or None)
