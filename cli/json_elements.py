"""The elements of a JSON list, one after the other, in memory that does not grow with the list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import ijson

MAX_DEPTH = 32
"""How deep an element may be nested; a play is flat."""

# Where ijson has no C parser, bytes that are not UTF-8 are a ValueError.
PARSER_ERRORS = (ijson.JSONError, ValueError)
"""Raised where the text is not JSON; their messages quote it."""


class NoListError(Exception):
    """JSON of another shape, or no JSON at all."""


class Readable(Protocol):
    """What the parser reads from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes; none at the end."""


TOO_DEEP = object()
"""Stands for a value that cannot be built."""

_Events = Iterator[tuple[str, Any]]


def elements(source: Readable) -> Iterator[Any]:
    """The elements of a list, each as soon as it is read; one that is nested too deep is `TOO_DEEP`.

    Raises:
        NoListError: there is no list.
        JSONError: what follows is not JSON; any of `PARSER_ERRORS`.
    """
    # A number beyond 64 bits or the range of floats is then an error of the parser, and not one of the process.
    events: _Events = ijson.basic_parse(source, use_float=True)
    try:
        first = next(events)[0]
    except PARSER_ERRORS as error:
        raise NoListError from error
    if first != "start_array":
        raise NoListError
    for event, value in events:
        # After the array's own end the parser goes on, to find what stands behind it.
        if event != "end_array":
            yield _built(event, value, events, 1)


def _built(event: str, value: Any, events: _Events, depth: int) -> Any:
    """The value that begins with an event."""
    if event in _PLAIN:
        return value
    if depth > MAX_DEPTH:
        _pass_over(events)
        return TOO_DEEP
    members: dict[str, Any] = {}
    items: list[Any] = []
    key = ""
    too_deep = False
    for inner, held in events:
        if inner == "map_key":
            key = held
        elif inner in _ENDS:
            break
        else:
            made = held if inner in _PLAIN else _built(inner, held, events, depth + 1)
            too_deep = too_deep or made is TOO_DEEP
            if event == "start_map":
                members[key] = made
            else:
                items.append(made)
    if too_deep:
        return TOO_DEEP
    return members if event == "start_map" else items


_PLAIN = frozenset({"string", "number", "boolean", "null"})
_ENDS = frozenset({"end_map", "end_array"})


def _pass_over(events: _Events) -> None:
    """Read on behind the end of what has just begun."""
    open_ones = 1
    for event, _ in events:
        if event in _ENDS:
            open_ones -= 1
            if not open_ones:
                return
        elif event not in _PLAIN and event != "map_key":
            open_ones += 1
