"""The plays in a file of Spotify's privacy export: read in constant memory, without what identifies a person.

A file is one JSON array. Since 2022 it is `Streaming_History_Audio_*.json`, before `endsong_*.json` with
`ip_addr_decrypted`, `user_agent_decrypted` and `username` in each element.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import ijson

from cli.export_files import DamagedFileError, HashedFile

MAX_ELEMENT_BYTES = 4 * 1024 * 1024
"""A play takes less than a thousand."""
MAX_DEPTH = 32
"""How deep an element may be nested; a play is flat."""

_BOM = b"\xef\xbb\xbf"
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
_PERSONAL = re.compile(r"ipaddr|useragent|username|^ip$|^ipv[46]$")
_NO_PERSON = re.compile(r"[^a-z0-9]")


@dataclass
class Span:
    """From the first to the last play, as Spotify writes times; '' while there is none."""

    first: str = ""
    last: str = ""

    def add(self, timestamp: object) -> None:
        """Widen the span to a play's `ts`; anything but a time is passed over."""
        if isinstance(timestamp, str) and _TIMESTAMP.fullmatch(timestamp):
            self.first = min(self.first or timestamp, timestamp)
            self.last = max(self.last, timestamp)

    def join(self, other: Span) -> None:
        """Widen the span to another."""
        for timestamp in (other.first, other.last):
            self.add(timestamp)


@dataclass
class Reading:
    """One pass over a file: iterate over `plays`, then the rest says how it went."""

    hashed_file: HashedFile
    watch: Callable[[int], None]
    """Is told the number of bytes with each piece."""
    elements: int = 0
    """Elements of the array that were read to their end."""
    rejected: list[tuple[int, str]] = field(default_factory=list)
    """Elements that are no plays: number from 1, and what is wrong. The first of them; nothing of their text."""
    rejections: int = 0
    """How many there are."""
    span: Span = field(default_factory=Span)
    problem: str | None = None
    """Why the file was not read to its end, in one sentence that says nothing of its text."""

    def plays(self) -> Iterator[dict[str, Any]]:
        """The elements that are objects, without personal data."""
        source = _Source(self.hashed_file, self.watch)
        try:
            for element in _elements(source):
                self.elements += 1
                if isinstance(element, dict):
                    self.span.add(element.get("ts"))
                    yield without_personal_data(element)
                else:
                    self._reject(_wrong_with(element))
                source.element_bytes = 0
            if source.digest.hexdigest() != self.hashed_file.content_hash:
                self.problem = "The file changed while it was read."
        except _NoArrayError:
            self.problem = "The file holds no list of plays."
        except _PARSER_ERRORS:
            # The parser's own message quotes the file.
            self.problem = self._stops("in the middle of its list" if source.ended else "where it is no JSON")
        except _TooLargeError:
            self.problem = self._stops(f"which is larger than {MAX_ELEMENT_BYTES // 1024 // 1024} MB")
        except DamagedFileError as error:
            self.problem = self._stops(f"since {error}")
        except OSError as error:
            self.problem = self._stops(f"since it cannot be read ({error.strerror})")

    def _reject(self, why: str) -> None:
        self.rejections += 1
        if len(self.rejected) < _REJECTED_KEPT:
            self.rejected.append((self.elements, why))

    def _stops(self, why: str) -> str:
        return f"The file stops at element {self.elements + 1}, {why}."


def without_personal_data(value: Any) -> Any:
    """A value without what tells where and who the listener is: IP addresses, user agents, user names, however deep."""
    if isinstance(value, dict):
        return {key: without_personal_data(held) for key, held in value.items() if not _is_personal(key)}
    if isinstance(value, list):
        return [without_personal_data(held) for held in value]
    return value


_REJECTED_KEPT = 20

# Where ijson has no C parser, bytes that are no UTF-8 are a ValueError.
_PARSER_ERRORS = (ijson.JSONError, ValueError)


@lru_cache(maxsize=1024)
def _is_personal(key: str) -> bool:
    # By part of the name: the export has spelt them in two ways already.
    return _PERSONAL.search(_NO_PERSON.sub("", key.lower())) is not None


def _wrong_with(element: Any) -> str:
    if element is _TOO_DEEP:
        return f"is nested deeper than {MAX_DEPTH}"
    if element is None:
        return "is null"
    return "is a list" if isinstance(element, list) else "is no object"


class _NoArrayError(Exception):
    """JSON of another shape."""


class _TooLargeError(Exception):
    """An element that would not fit into memory."""


class _Source:
    """A file as the parser reads it: hashed again, and no further than one element may be long."""

    def __init__(self, hashed_file: HashedFile, watch: Callable[[int], None]) -> None:
        self.digest = hashlib.sha256()
        self.element_bytes = 0
        """Bytes read since the last element ended."""
        self.ended = False
        self._chunks = hashed_file.file.chunks()
        self._watch = watch
        self._begun = False

    def read(self, size: int) -> bytes:
        if size == 0:  # The parser asks whether this is bytes or text.
            return b""
        if self.element_bytes > MAX_ELEMENT_BYTES:
            raise _TooLargeError
        chunk = next(self._chunks, b"")
        self.ended = not chunk
        self.digest.update(chunk)
        self.element_bytes += len(chunk)
        self._watch(len(chunk))
        if not self._begun:
            self._begun = True
            chunk = chunk.removeprefix(_BOM) or chunk
        return chunk


_TOO_DEEP = object()
"""Stands for a value that cannot be built."""

_Events = Iterator[tuple[str, Any]]


def _elements(source: _Source) -> Iterator[Any]:
    """The elements of the array, each as soon as it is read; one that is nested too deep is `_TOO_DEEP`."""
    # A number beyond 64 bits or the range of floats is then an error of the parser, and not one of the process.
    events: _Events = ijson.basic_parse(source, use_float=True)
    try:
        first = next(events)[0]
    except _PARSER_ERRORS as error:
        raise _NoArrayError from error
    if first != "start_array":
        raise _NoArrayError
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
        return _TOO_DEEP
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
            too_deep = too_deep or made is _TOO_DEEP
            if event == "start_map":
                members[key] = made
            else:
                items.append(made)
    if too_deep:
        return _TOO_DEEP
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
