"""Reads the elements of a JSON list one by one, in memory that does not grow with the list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import ijson

MAX_DEPTH = 32
"""The deepest nesting of an element that is read; a play is flat."""

# Without its C parser, ijson raises a ValueError for bytes that are not UTF-8.
PARSER_ERRORS = (ijson.JSONError, ValueError)
"""Raised if the text is not JSON; their messages quote it."""


class NoListError(Exception):
    """The text is not a JSON list."""


class Readable(Protocol):
    """A source for the parser."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes; none at the end."""


TOO_DEEP = object()
"""Stands for a value that is nested too deeply."""

_Events = Iterator[tuple[str, Any]]


def read_elements(source: Readable) -> Iterator[Any]:
    """Yield each element of a list as soon as it is read, or `TOO_DEEP` in place of one that is nested too deeply.

    Raises:
        NoListError: there is no list.
        JSONError: what follows is not JSON; any of `PARSER_ERRORS`.
    """
    # With use_float, numbers outside the range of 64 bits or of floats are parser errors.
    events: _Events = ijson.basic_parse(source, use_float=True)
    try:
        first = next(events)[0]
    except PARSER_ERRORS as error:
        raise NoListError from error
    if first != "start_array":
        raise NoListError
    for event, value in events:
        # After the end of the array, the parser continues to check that nothing follows.
        if event != "end_array":
            yield _build(event, value, events, 1)


def _build(event: str, value: Any, events: _Events, depth: int) -> Any:
    """Build the value that begins with an event."""
    if event in _PLAIN:
        return value
    if depth > MAX_DEPTH:
        _skip(events)
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
            made = held if inner in _PLAIN else _build(inner, held, events, depth + 1)
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


def _skip(events: _Events) -> None:
    """Skip the rest of the value that has just begun."""
    depth = 1
    for event, _ in events:
        if event in _ENDS:
            depth -= 1
            if not depth:
                return
        elif event not in _PLAIN and event != "map_key":
            depth += 1
