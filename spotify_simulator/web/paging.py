"""Pages of the Web API and their parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from spotify_simulator.web.errors import ApiError

LARGEST_LIMIT = 50
DEFAULT_LIMIT = 20
_LARGEST_OFFSET = 2**31 - 1

_T = TypeVar("_T")


def limit_of(parameters: Mapping[str, str], default: int = DEFAULT_LIMIT, largest: int = LARGEST_LIMIT) -> int:
    """Return the requested size of a page.

    Raises:
        ApiError: 400, not a number from 1 to the largest.
    """
    return _number(parameters, "limit", default, 1, largest)


def offset_of(parameters: Mapping[str, str]) -> int:
    """Return the requested offset of a page.

    Raises:
        ApiError: 400, not a number from 0.
    """
    return _number(parameters, "offset", 0, 0, _LARGEST_OFFSET)


def cursor_of(parameters: Mapping[str, str], name: str) -> int | None:
    """Return a cursor in epoch milliseconds, or None if it was not sent.

    Raises:
        ApiError: 400, not a number.
    """
    return _number(parameters, name, 0, 0, 10**15) if name in parameters else None


def offset_page(
    url: str,
    parameters: Mapping[str, str],
    total: int,
    read: Callable[[int, int], Sequence[_T]],
    shape: Callable[[_T], Any],
) -> dict[str, Any]:
    """Return a page by offset, with the URLs of its neighbors.

    Args:
        url: URL of the list, without a query.
        parameters: parameters of the request; those not about paging are repeated in the URLs.
        total: number of elements of the list.
        read: returns the elements from an offset, up to a limit.
        shape: returns the JSON of an element.
    """
    return fixed_offset_page(url, parameters, total, read, shape, offset_of(parameters), limit_of(parameters))


def fixed_offset_page(
    url: str,
    parameters: Mapping[str, str],
    total: int,
    read: Callable[[int, int], Sequence[_T]],
    shape: Callable[[_T], Any],
    offset: int,
    limit: int,
) -> dict[str, Any]:
    """Return a page as `offset_page` does, with an offset and a limit that are not parameters."""
    others = {name: value for name, value in parameters.items() if name not in {"limit", "offset"}}

    def address(at: int) -> str:
        return f"{url}?{urlencode({'offset': at, 'limit': limit, **others})}"

    return {
        "href": address(offset),
        "items": [shape(element) for element in read(offset, limit)],
        "limit": limit,
        "next": address(offset + limit) if offset + limit < total else None,
        "offset": offset,
        "previous": address(max(0, offset - limit)) if offset > 0 else None,
        "total": total,
    }


def _number(parameters: Mapping[str, str], name: str, default: int, smallest: int, largest: int) -> int:
    text = parameters.get(name, str(default))
    if not (text.isascii() and text.isdigit() and smallest <= int(text) <= largest):
        raise ApiError(400, f"Invalid {name}")
    return int(text)
