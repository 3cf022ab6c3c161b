"""From pages to records: following `next` and nothing else, and resuming after a record that was read before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from handlers.extract.reads.list_length import ListLength
from handlers.extract.reads.record_keys import record_key
from handlers.extract.reads.served_records import ServedRecords, record_digest
from handlers.extract.reads.shortfall import Shortfall
from handlers.extract.spotify.client import Response, SpotifyClient
from handlers.extract.spotify.errors import MalformedResponseError, NotFoundError, RefusedError
from handlers.streams import Stream

REPEATABLE_PAGES = 20
"""A list of at most this many pages is read again from its start if it changes meanwhile; in a longer one the pass
searches for the position where it was."""
PAGES_ON = 10
"""How many pages ahead a pass searches for the record that it read last."""
_OFFSET_DIGITS = 18
"""Digits of an offset in a URL; Python refuses to parse numbers of thousands of digits."""
_SEARCHES = 10
"""How often a pass searches for its position before it accepts a list that keeps changing."""


class MovedError(Exception):
    """The list has changed since the pass started: its records do not fit together."""


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """The position of a pass: after which record, and the request that served it."""

    position: int
    """Position of the next record, from 0."""
    last: str
    """The key of the record before it."""
    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> dict[str, Any]:
        """Return the form stored in the state."""
        return asdict(self)

    @classmethod
    def parse(cls, content: object) -> Cursor | None:
        """Parse stored content; return None for anything else."""
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
        return cls(position=position, last=last, path=path, params=params)


@dataclass(frozen=True)
class Record:
    """One element of a page, or the whole response of a stream without pages."""

    value: Any
    """As Spotify sent it; may be null."""
    position: int
    """Position in the whole list, from 0."""
    response: Response

    @property
    def cursor(self) -> Cursor:
        """The position after this record."""
        return Cursor(
            position=self.position + 1,
            last=record_key(self.value),
            path=self.response.path,
            params=self.response.params,
        )


class Pass:
    """One pass over a list.

    Args:
        shortfall: counts the records missing from the list.
        served: what an earlier run was served that started the pass.
        repeatable: whether another pass may follow; the last one accepts a list that changes.
        watch_total: whether a changed total means that the list has moved past the reader.
    """

    def __init__(
        self,
        *,
        shortfall: Shortfall,
        served: ServedRecords | None = None,
        repeatable: bool = False,
        watch_total: bool = True,
    ) -> None:
        self.shortfall = shortfall
        self.served = served or ServedRecords()
        self.repeatable = repeatable
        self.total: int | None = None
        """The latest total, if watched."""
        self._watch_total = watch_total

    def notice_change(self, total: object) -> bool:
        """Take a page's total, if watched; return whether it differs from the one before."""
        if not self._watch_total or type(total) is not int:
            return False
        before, self.total = self.total, total
        return before is not None and before != total


def records(
    client: SpotifyClient,
    stream: Stream,
    unit: str = "",
    *,
    one_pass: Pass,
    after: Cursor | None = None,
    params: Mapping[str, str] | None = None,
) -> Iterator[Record]:
    """Yield every record of a stream, page by page.

    Args:
        client: sends the requests.
        stream: stream whose path, page size and parameters are used.
        unit: replaces `{unit}` in the path.
        one_pass: the pass over the list.
        after: resume after this record instead of starting with the first.
        params: more parameters for the first request.

    Raises:
        SpotifyError: a request failed, or a response is malformed or leads in a circle.
        MovedError: the list changed, so the pass must start again; if the pass is not repeatable, only because the
            record of `after` is gone.
    """
    if stream.paging == "none":
        response = client.get_cached(stream.path)
        if not isinstance(response.value, dict):
            raise MalformedResponseError(
                f"Spotify's response for {stream.name} is not an object: the next run reads it again."
            )
        yield Record(response.value, 0, response)
        return
    listing = _List(client, stream, unit, {**dict(stream.params), **(params or {})})
    try:
        page: _Page | None = listing.resume(after) if after else listing.first()
        # The list continues after the record, wherever that is by now.
        start = page.position(after.position) if page and after else 0
        reader = _Reader(client, listing, stream, one_pass, after, start)
        while page:
            page = reader.retried(reader.aligned(page))
            yield from reader.gap_before(page)
            yield from reader.records(page)
            page = reader.next_page(page)
    except MovedError:
        one_pass.shortfall.expect(listing.total)
        raise


class _Reader:
    """The progress of one pass over the pages of a list."""

    def __init__(
        self,
        client: SpotifyClient,
        listing: _List,
        stream: Stream,
        one_pass: Pass,
        after: Cursor | None,
        start: int,
    ) -> None:
        self._client = client
        self._listing = listing
        self._stream = stream
        self._pass = one_pass
        self._shortfall = one_pass.shortfall
        self._after = after
        self._record: Record | None = None
        self._position = start
        self._length = ListLength(
            start, by_cursor=stream.paging == "cursor", repeats=stream.mode == "per_playlist", served=one_pass.served
        )
        self._followed: set[str] = set()
        self._pages = 0
        self._searches = 0

    def aligned(self, page: _Page) -> _Page:
        """Return the page, or in a list that has changed the one at which the pass continues.

        Raises:
            MovedError: the pass must start again.
            SpotifyError: a request failed.
        """
        self._pages += 1
        before = self._pass.total
        if not self._pass.notice_change(page.total) or (last := self._last) is None:
            return page
        may_restart = self._stream.paging == "cursor" or self._pages <= REPEATABLE_PAGES
        if self._pass.repeatable and may_restart and not self._after:
            raise MovedError
        if self._stream.paging == "cursor" or self._searches == _SEARCHES:
            return page
        self._searches += 1
        self._followed.clear()
        found = self._listing.relocate(last, page, repeatable=self._pass.repeatable)
        if found is not page:
            grown = page.total - before if type(page.total) is int and before is not None else 0
            self._shortfall.skip(self._length.jump(found.position(self._position), grown))
        return found

    def retried(self, page: _Page) -> _Page:
        """Return the page; request one that repeats earlier records again, if that can help.

        Raises:
            MovedError: see `aligned`.
            SpotifyError: a request failed.
        """
        if (
            page.is_whole
            and self._length.is_repeated(page.position(self._position), page.digests)
            and self._length.has_room_for(len(page.items), self._listing.total)
            and self._shortfall.spend_request(len(page.items))
            and (again := self._listing.request_again(page))
        ):
            return self.aligned(again)
        return page

    def gap_before(self, page: _Page) -> Iterator[Record]:
        """Yield the records between the previous page and this one, if it does not start where that ended.

        Raises:
            SpotifyError: a request failed.
        """
        length = self._length
        gap = length.gap_before(page.position(length.reach))
        if not gap:
            return
        is_counted = length.has_room_for(gap + len(page.items), self._listing.total)
        if is_counted and self._shortfall.spend_request(gap, hole=True):
            if part := self._listing.part(length.reach, gap):
                yield from self._yield(part, length.reach, gap)
            gap = length.gap_before(page.position(length.reach))
        if is_counted:
            self._shortfall.skip(gap)
        length.skip(gap)

    def records(self, page: _Page) -> Iterator[Record]:
        """Yield the records of a page."""
        yield from self._yield(page, page.position(self._position), len(page.items))

    def next_page(self, page: _Page) -> _Page | None:
        """Return the next page; None at the end of the list.

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
        """Request once what is missing after the last page of a list that ended early."""
        shortfall, length = self._shortfall, self._length
        if shortfall.spend_request(shortfall.missing_after(length.served, self._listing.total)):
            self._position = length.reach
            self._followed.clear()
            if rest := self._listing.rest(page, length.reach, self._last):
                return rest
        shortfall.end(length.served, self._listing.total, length.repeated)
        return None

    def _yield(self, page: _Page, start: int, size: int) -> Iterator[Record]:
        """Yield the first records of a page, whose positions begin at `start`."""
        self._position = start
        digests = page.digests[:size]
        self._length.begin_page(start, digests)
        for item, digest in zip(page.items[:size], digests, strict=True):
            record = Record(item, self._position, page.response)
            self._position += 1
            self._record = record
            if self._length.count(record.position, digest):
                self._shortfall.skip(1)
            yield record

    @property
    def _last(self) -> Cursor | None:
        """The position after the latest record of this pass, or of the one that it resumes."""
        return self._record.cursor if self._record else self._after


def first_page(client: SpotifyClient, stream: Stream) -> list[Record]:
    """Return the records of the first page only.

    Raises:
        SpotifyError: the request failed, or the response is malformed.
    """
    page = _List(client, stream, "", dict(stream.params)).first()
    return [Record(item, index, page.response) for index, item in enumerate(page.items)]


@dataclass(frozen=True, kw_only=True)
class _Page:
    """The part of a page that is still to be read."""

    response: Response
    items: list[Any]
    offset: int | None
    """Offset of the first of `items`; None if the page has none."""
    total: object
    following: str | None
    is_whole: bool = True
    """Whether `items` are all that was served."""

    def position(self, counted: int) -> int:
        return counted if self.offset is None else self.offset

    @cached_property
    def digests(self) -> list[bytes | None]:
        return [record_digest(item) for item in self.items]

    @property
    def leads_to_itself(self) -> bool:
        if self.following is None:
            return False
        try:
            parts = urlsplit(self.following)
        except ValueError:
            return False  # It does not lead anywhere else either.
        first = {"offset": "0"}
        return parts.path.endswith(f"/{self.response.path}") and (
            first | dict(parse_qsl(parts.query)) == first | dict(self.response.params)
        )

    def after(self, last: str, position: int) -> _Page | None:
        """Return the rest after the record with that key; if there are several, the one nearest to the position."""
        start = self.offset or 0
        found = [index for index, item in enumerate(self.items) if record_key(item) == last]
        if not found:
            return None
        index = min(found, key=lambda index: abs(start + index - position)) + 1
        offset = None if self.offset is None else self.offset + index
        return replace(self, items=self.items[index:], offset=offset, is_whole=False)


class _List:
    """A list of the Web API."""

    def __init__(self, client: SpotifyClient, stream: Stream, unit: str, params: Mapping[str, str]) -> None:
        self._client = client
        self._stream = stream
        self._path = stream.path.format(unit=unit)
        self._params: dict[str, str | int] = {"limit": stream.page_size, **params}
        self.total: int | None = None
        """The latest total."""

    def first(self) -> _Page:
        return self.page(self._client.get(self._path, self._params))

    def resume(self, cursor: Cursor) -> _Page:
        """Return the page at which an interrupted pass continues.

        Raises:
            MovedError: the last record is gone, or Spotify no longer accepts the cursor.
        """
        try:
            return self._locate(cursor) if self._stream.paging == "offset" else self._locate_by_cursor(cursor)
        except (NotFoundError, RefusedError) as error:
            raise MovedError from error

    def _locate_by_cursor(self, cursor: Cursor) -> _Page:
        page = self.page(self._client.get(cursor.path, dict(cursor.params)))
        rest = page.after(cursor.last, cursor.position)
        if rest is None:
            raise MovedError
        # Such a page has no offset of its own.
        return replace(rest, offset=cursor.position)

    def part(self, offset: int, size: int) -> _Page | None:
        """Return that many records from an offset on; None if Spotify has none."""
        return self._try(self._path, {**self._params, "limit": min(size, self._stream.page_size), "offset": offset})

    def rest(self, page: _Page, reach: int, last: Cursor | None) -> _Page | None:
        """Return what follows the last page of a list that ended early; None if Spotify has nothing."""
        if self._stream.paging == "offset":
            return self._try(self._path, {**self._params, "offset": reach})
        again = self.request_again(page)
        if again is None:
            return None
        rest = again.after(last.last, last.position) if last else None
        if rest is None and page.items:
            return replace(again, items=[], following=None)
        return rest or again

    def request_again(self, page: _Page) -> _Page | None:
        """Repeat a page's request; return None if Spotify has nothing."""
        return self._try(page.response.path, page.response.params)

    def _try(self, path: str, params: Mapping[str, str | int]) -> _Page | None:
        with suppress(MalformedResponseError, NotFoundError, RefusedError):
            return self.page(self._client.get(path, dict(params)))
        return None

    def relocate(self, cursor: Cursor, page: _Page, *, repeatable: bool) -> _Page:
        """Return the page after the cursor's record; if that is gone, the given page unless the pass is repeatable."""
        try:
            return self._locate(cursor)
        except MovedError:
            if repeatable:
                raise
            return page

    def _locate(self, cursor: Cursor) -> _Page:
        """Search where the record was, a page back (others were removed), then ahead (others were added)."""
        at, size = cursor.position - 1, self._stream.page_size
        ahead = [at + size * number for number in range(1, PAGES_ON + 1)]
        ended = False
        for offset in (at, *([max(0, at - size)] if at else []), *ahead):
            if ended and offset > at:
                break
            page = self._page_at(offset)
            if rest := self._confirm(page.after(cursor.last, at), cursor):
                return rest
            ended = ended or (offset >= at and page.following is None)
        raise MovedError

    def _confirm(self, rest: _Page | None, cursor: Cursor) -> _Page | None:
        """Return what follows a record; if the record has moved, only if it can be read at its new position too.

        Otherwise a page served in another's place would hide all records before it.
        """
        if rest is None or rest.position(cursor.position) == cursor.position:
            return rest
        if self._stream.mode == "per_playlist":
            return None  # Nothing moves within one version: this is another entry for the same item.
        position = rest.position(cursor.position)
        again = self._page_at(position - 1).after(cursor.last, position - 1)
        return again if again and again.position(position) == position else None

    def _page_at(self, offset: int) -> _Page:
        return self.page(self._client.get(self._path, {**self._params, "offset": offset}))

    def page(self, response: Response) -> _Page:
        """Parse a response; raise `MalformedResponseError` if it is not a page."""
        name = self._stream.name
        page = response.value
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
        # An empty page with total 0 says nothing about a list that had a total before.
        if type(total) is int and (items or total or self.total is None):
            self.total = total
        requested = response.params.get("offset", "")
        if (
            named is None
            and self._stream.paging == "offset"
            and requested.isdecimal()
            and len(requested) <= _OFFSET_DIGITS
        ):
            named = int(requested)
        return _Page(response=response, items=items, offset=named, total=total, following=following or None)
