from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.extract.reads.paging import Pass, records
from handlers.extract.reads.shortfall import Shortfall
from handlers.extract.spotify.client import Response
from handlers.streams import STREAMS
from tests.thoroughness import examples

HOST = "https://api.spotify.com/v1/"


class Pages:
    """A client that serves given pages one after another."""

    def __init__(self, pages: list[list[Any]], served: list[int], *, offsets: bool) -> None:
        self._pages = pages
        self._offsets = offsets
        self._starts = [sum(map(len, pages[:number])) for number in range(len(pages))]
        self.asked: list[str] = []
        # Spotify's limit and total, which are not reliable.
        self._claims = served

    def get(self, path: str, params: dict[str, str | int]) -> Response:
        assert params == {"limit": 50}
        return self._answer(0, path)

    def follow(self, url: str) -> Response:
        return self._answer(int(url.rpartition("=")[2]), url)

    def _answer(self, number: int, path: str) -> Response:
        self.asked.append(path)
        page: dict[str, Any] = {
            "items": self._pages[number],
            "limit": self._claims[0],
            "total": self._claims[1],
            "next": f"{HOST}me/albums?page={number + 1}" if number + 1 < len(self._pages) else None,
        }
        if self._offsets:
            page["offset"] = self._starts[number]
        return Response(value=page, path=path, params={}, extracted_at=datetime(2026, 11, 23, tzinfo=UTC))


@settings(max_examples=examples(100, 25))
@given(
    pages=st.lists(st.lists(st.none() | st.integers() | st.dictionaries(st.text(), st.text())), min_size=1, max_size=8),
    claims=st.lists(st.integers(0, 100), min_size=2, max_size=2),
    offsets=st.booleans(),
)
def test_every_element_once_and_in_its_place_whatever_the_pages_claim(
    pages: list[list[Any]], claims: list[int], offsets: bool
) -> None:
    client = Pages(pages, claims, offsets=offsets)
    one_pass = Pass(shortfall=Shortfall(is_spent=True), watch_total=False)
    found = list(records(client, STREAMS["saved_albums"], one_pass=one_pass))  # type: ignore[arg-type] # a stand-in for the client
    assert [record.value for record in found] == [element for page in pages for element in page]
    assert [record.position for record in found] == list(range(len(found)))
    assert len(client.asked) == len(pages)
