"""From pages to records: driven by `next` and by nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handlers.extract.spotify import Answer, BrokenAnswerError, SpotifyClient
from handlers.streams import Stream


@dataclass(frozen=True)
class Record:
    """One element of a page, or the one answer of a stream without pages."""

    value: Any
    """As Spotify sent it; also null."""
    position: int
    """Place in the whole list, from 0."""
    answer: Answer
    """Where it was served."""


class Pass:
    """One pass over a list, of which each page names the length: what goes meanwhile moves others past the reader.

    Args:
        repeatable: whether another pass may follow.
    """

    def __init__(self, *, repeatable: bool) -> None:
        self._repeatable = repeatable
        self._totals: set[int] = set()

    def see(self, total: object) -> None:
        """Note the length that a page names, if it names one."""
        if type(total) is int:
            self._totals.add(total)

    @property
    def void(self) -> bool:
        """Whether the list changed its length, so that it is to be read once more."""
        return self._repeatable and len(self._totals) > 1


def records(client: SpotifyClient, stream: Stream, unit: str = "", one_pass: Pass | None = None) -> Iterator[Record]:
    """Every record of a stream, page after page.

    Args:
        client: what asks.
        stream: its path, page size and parameters are used.
        unit: stands for `{unit}` in the path.
        one_pass: is told what the pages name as the length of the list.

    Raises:
        SpotifyError: a request failed, or an answer has no such shape or leads in a circle.
    """
    if stream.paging == "none":
        answer = client.get_once(stream.path)
        if not isinstance(answer.value, dict):
            raise BrokenAnswerError(f"Spotify's answer for {stream.name} is no object: the next run reads it again.")
        yield Record(answer.value, 0, answer)
        return
    answer = client.get(stream.path.format(unit=unit), {"limit": stream.page_size, **dict(stream.params)})
    followed: set[str] = set()
    position = 0
    while True:
        items, offset, following = _page(answer, stream)
        if one_pass:
            one_pass.see(answer.value.get("total"))
        position = position if offset is None else offset
        for item in items:
            yield Record(item, position, answer)
            position += 1
        if following is None:
            return
        if following in followed:
            raise BrokenAnswerError(f"Spotify's pages of {stream.name} lead in a circle: the next run reads it again.")
        followed.add(following)
        answer = client.follow(following)


def first_page(client: SpotifyClient, stream: Stream) -> list[Record]:
    """The records of the first page alone.

    Raises:
        SpotifyError: the request failed, or the answer has no such shape.
    """
    answer = client.get(stream.path, {"limit": stream.page_size, **dict(stream.params)})
    items, _, _ = _page(answer, stream)
    return [Record(item, index, answer) for index, item in enumerate(items)]


def _page(answer: Answer, stream: Stream) -> tuple[list[Any], int | None, str | None]:
    """Elements, offset (None where the page names none) and the address of the following page."""
    page = answer.value
    items = page.get("items") if isinstance(page, dict) else None
    if not isinstance(items, list):
        raise BrokenAnswerError(f"Spotify's page of {stream.name} has no items: the next run reads it again.")
    offset, following = page.get("offset"), page.get("next")
    if following is not None and not isinstance(following, str):
        raise BrokenAnswerError(f"Spotify's page of {stream.name} has an odd next: the next run reads it again.")
    return items, offset if type(offset) is int and offset >= 0 else None, following or None
