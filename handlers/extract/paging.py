"""From pages to records: driven by `next` and by nothing else, and resumed behind a record that was read before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from handlers.extract.errors import BrokenAnswerError, NotFoundError, RefusedError
from handlers.extract.identity import identity
from handlers.extract.spotify import Answer, SpotifyClient
from handlers.streams import Stream

REPEATABLE_PAGES = 20
"""A list of at most so many pages is read again from its begin where it changes meanwhile; in a longer one the place is
looked for where the pass stood."""
PAGES_ON = 10
"""How many pages further on a pass looks for the record that it read last."""
_SEARCHES = 10
"""How often a pass looks for its place, before it takes a list that never rests as it is."""


class MovedError(Exception):
    """The list is not the one that the pass began with: its records do not fit together."""


@dataclass(frozen=True)
class Place:
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
    def parse(cls, content: object) -> Place | None:
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
    """Place in the whole list, from 0."""
    answer: Answer
    """Where it was served."""

    @property
    def place(self) -> Place:
        """The place behind this record."""
        return Place(self.position + 1, identity(self.value), self.answer.path, self.answer.params)


class Pass:
    """One pass over a list, of which each page names the length: what goes meanwhile moves others past the reader.

    Args:
        repeatable: whether another pass may follow; the last one takes a list that moves as it is.
    """

    def __init__(self, *, repeatable: bool) -> None:
        self.repeatable = repeatable
        self._total: int | None = None

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
    behind: Place | None = None,
    params: Mapping[str, str] | None = None,
) -> Iterator[Record]:
    """Every record of a stream, page after page.

    Args:
        client: what asks.
        stream: its path, page size and parameters are used.
        unit: stands for `{unit}` in the path.
        one_pass: watches the length of the list; without it nothing does.
        behind: go on behind this record instead of beginning with the first.
        params: more parameters of the first request.

    Raises:
        SpotifyError: a request failed, or an answer has no such shape or leads in a circle.
        MovedError: the list changed so that the pass is to begin again; never in a pass that is not repeatable, unless
            `behind` is gone.
    """
    if stream.paging == "none":
        answer = client.get_once(stream.path)
        if not isinstance(answer.value, dict):
            raise BrokenAnswerError(f"Spotify's answer for {stream.name} is no object: the next run reads it again.")
        yield Record(answer.value, 0, answer)
        return
    listing = _List(client, stream, unit, {**dict(stream.params), **(params or {})})
    page = listing.behind(behind) if behind else listing.first()
    followed: set[str] = set()
    pages = 1
    searches = 0
    position = page.position(0)
    record: Record | None = None
    while True:
        last = record.place if record else behind
        if one_pass and one_pass.moved(page.total) and last:
            if one_pass.repeatable and (stream.paging == "cursor" or pages <= REPEATABLE_PAGES) and not behind:
                raise MovedError
            if stream.paging == "offset" and searches < _SEARCHES:
                searches += 1
                followed.clear()
                page = listing.found_again(last, page, repeatable=one_pass.repeatable)
                position = page.position(position)
        for item in page.items:
            record = Record(item, position, page.answer)
            yield record
            position += 1
        if page.following is None:
            return
        if page.following in followed:
            raise BrokenAnswerError(f"Spotify's pages of {stream.name} lead in a circle: the next run reads it again.")
        followed.add(page.following)
        page = listing.page(client.follow(page.following))
        position = page.position(position)
        pages += 1


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

    answer: Answer
    items: list[Any]
    offset: int | None
    """Of the first of `items`; None where the page names none."""
    total: object
    following: str | None

    def position(self, counted: int) -> int:
        return counted if self.offset is None else self.offset

    def behind(self, last: str, position: int) -> _Page | None:
        """The rest of the page behind the record that was read last; of several the one nearest to its old place."""
        start = self.offset or 0
        found = [index for index, item in enumerate(self.items) if identity(item) == last]
        if not found:
            return None
        index = min(found, key=lambda index: abs(start + index - position)) + 1
        offset = None if self.offset is None else self.offset + index
        return replace(self, items=self.items[index:], offset=offset)


class _List:
    """One list of the Web API."""

    def __init__(self, client: SpotifyClient, stream: Stream, unit: str, params: Mapping[str, str]) -> None:
        self._client = client
        self._stream = stream
        self._path = stream.path.format(unit=unit)
        self._params: dict[str, str | int] = {"limit": stream.page_size, **params}

    def first(self) -> _Page:
        return self.page(self._client.get(self._path, self._params))

    def behind(self, place: Place) -> _Page:
        """The page on which a pass goes on that was cut off.

        Raises:
            MovedError: the record that was read last is gone, or Spotify no longer takes the place.
        """
        try:
            return self._found(place) if self._stream.paging == "offset" else self._found_by_cursor(place)
        except (NotFoundError, RefusedError) as error:
            raise MovedError from error

    def _found_by_cursor(self, place: Place) -> _Page:
        page = self.page(self._client.get(place.path, dict(place.params)))
        rest = page.behind(place.last, place.position)
        if rest is None:
            raise MovedError
        # A page by cursor names no offset.
        return replace(rest, offset=place.position)

    def found_again(self, place: Place, page: _Page, *, repeatable: bool) -> _Page:
        """As `behind`; a pass that is not repeatable goes on with the page at hand where the record is gone."""
        try:
            return self._found(place)
        except MovedError:
            if repeatable:
                raise
            return page

    def _found(self, place: Place) -> _Page:
        """Look where the record was, then a page back (others are gone), then further on (others came before it)."""
        at, size = place.position - 1, self._stream.page_size
        ahead = [at + size * number for number in range(1, PAGES_ON + 1)]
        ended = False
        for offset in (at, *([max(0, at - size)] if at else []), *ahead):
            if ended and offset > at:
                break
            page = self.page(self._client.get(self._path, {**self._params, "offset": offset}))
            if rest := page.behind(place.last, at):
                return rest
            ended = ended or (offset >= at and page.following is None)
        raise MovedError

    def page(self, answer: Answer) -> _Page:
        """Raises `BrokenAnswerError` where the answer is no page."""
        name = self._stream.name
        page = answer.value
        if self._stream.page_in and isinstance(page, dict):
            page = page.get(self._stream.page_in)
        items = page.get("items") if isinstance(page, dict) else None
        if not isinstance(items, list):
            raise BrokenAnswerError(f"Spotify's page of {name} has no items: the next run reads it again.")
        offset, following = page.get("offset"), page.get("next")
        if following is not None and not isinstance(following, str):
            raise BrokenAnswerError(f"Spotify's page of {name} has an odd next: the next run reads it again.")
        named = offset if type(offset) is int and offset >= 0 else None
        return _Page(answer, items, named, page.get("total"), following or None)
