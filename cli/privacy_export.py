"""The plays in a file of Spotify's privacy export: read in constant memory, of each no more than what is documented.

A file is one JSON list; which fields of its elements are kept says `handlers.streaming_history`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cli.diagnosis import Problem
from cli.export_files import DamagedFileError, HashedFile, unreadable
from cli.json_elements import MAX_DEPTH, PARSER_ERRORS, TOO_DEEP, NoListError, elements
from handlers.streaming_history import (
    EARLIEST,
    MAX_AHEAD,
    MAX_MONTHS,
    is_account_data,
    kept_fields,
    played_at,
    row_problem,
)

MAX_ELEMENT_BYTES = 4 * 1024 * 1024
"""A play takes less than a thousand."""


@dataclass
class Span:
    """From the first to the last play, UTC; None while there is none."""

    first: datetime | None = None
    last: datetime | None = None

    def add(self, moment: datetime) -> None:
        """Widen the span to the moment of a play."""
        self.first = min(self.first or moment, moment)
        self.last = max(self.last or moment, moment)

    def join(self, other: Span) -> None:
        """Widen the span to another."""
        for moment in (other.first, other.last):
            if moment:
                self.add(moment)


@dataclass
class Faults:
    """The elements of which no row can come, by what is wrong with them; nothing of their text."""

    count: int = 0
    numbers: dict[str, list[int]] = field(default_factory=dict)
    """Of each reason the first elements, numbered from 1."""

    def add(self, number: int, reason: str) -> None:
        """Note an element."""
        self.count += 1
        noted = self.numbers.setdefault(reason, [])
        if len(noted) <= _NUMBERS_SHOWN:
            noted.append(number)

    def __str__(self) -> str:
        """Each reason with the numbers of its elements: `null (elements 1, 7), not an object (element 3)`."""
        return ", ".join(f"{reason} ({_numbered(numbers)})" for reason, numbers in self.numbers.items())


class Doubles:
    """Plays that equal another one in every field that is kept, in whatever file either stands."""

    def __init__(self) -> None:
        self.count = 0
        """How many there are beside the first of each kind."""
        self._seen: set[int] = set()

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one play."""
        mark = hash(frozenset(record.items()))
        self.count += mark in self._seen
        self._seen.add(mark)


@dataclass
class FileReading:
    """One pass over a file: iterate over `records`, then the rest says how it went."""

    hashed_file: HashedFile
    watch: Callable[[int], None]
    """Is told the number of bytes with each piece."""
    now: datetime
    """When the import began; what lies far after it lies in the future."""
    doubles: Doubles | None = None
    """Takes its plays; None: they are not counted again."""
    elements: int = 0
    """Elements of the list that were read to their end."""
    plays: int = 0
    """How many of them become rows of `plays`."""
    account_data_plays: int = 0
    """How many of the plays have the form of the small export."""
    early_plays: int = 0
    """How many of the plays lie before `EARLIEST`."""
    future_plays: int = 0
    """How many of the plays lie more than `MAX_AHEAD` after the import."""
    faults: Faults = field(default_factory=Faults)
    """The others."""
    span: Span = field(default_factory=Span)
    months: set[tuple[int, int]] = field(default_factory=set)
    """In which its plays lie; no more than one beyond `MAX_MONTHS`."""
    problem: Problem | None = None
    """Why the file was not read to its end; it says nothing of the file's text."""

    def records(self) -> Iterator[dict[str, Any]]:
        """What is kept of each element that is an object, also of one that becomes no row."""
        source = _HashedBytes(self.hashed_file, self.watch)
        try:
            for element in elements(source):
                self.elements += 1
                if isinstance(element, dict):
                    yield self._record(element)
                else:
                    self.faults.add(self.elements, _wrong_with(element))
                source.element_bytes = 0
            if source.digest.hexdigest() != self.hashed_file.content_hash:
                self.problem = Problem("the file changed while it was read", "run the command again")
        except NoListError:
            self.problem = Problem("the file is not a list of plays")
        except PARSER_ERRORS:
            # The parser's own message quotes the file.
            self._stop(Problem("in the middle of its list" if source.ended else "where it is not valid JSON"))
        except _TooLargeError:
            self._stop(Problem(f"which is larger than {MAX_ELEMENT_BYTES // 1024 // 1024} MB"))
        except DamagedFileError as error:
            self._stop(replace(error.problem, why=f"because {error.problem.why}"))
        except OSError as error:
            problem = unreadable(error)
            self._stop(replace(problem, why=f"because {problem.why}"))

    def _record(self, element: dict[str, Any]) -> dict[str, Any]:
        record = kept_fields(element)
        if reason := row_problem(record):
            self.faults.add(self.elements, reason)
        elif moment := played_at(record):
            self.plays += 1
            if self.doubles:
                self.doubles.add(record)
            self.account_data_plays += is_account_data(record)
            self.early_plays += moment < EARLIEST
            self.future_plays += moment - self.now > MAX_AHEAD
            self.span.add(moment)
            if len(self.months) <= MAX_MONTHS:
                self.months.add((moment.year, moment.month))
        return record

    def _stop(self, problem: Problem) -> None:
        self.problem = replace(problem, why=f"the file stops at element {self.elements + 1}, {problem.why}")


_NUMBERS_SHOWN = 5


def _numbered(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:_NUMBERS_SHOWN])
    noun = "element" if len(numbers) == 1 else "elements"
    return f"{noun} {shown}{', …' if len(numbers) > _NUMBERS_SHOWN else ''}"


def _wrong_with(element: Any) -> str:
    if element is TOO_DEEP:
        return f"nested deeper than {MAX_DEPTH} levels"
    if element is None:
        return "null"
    return "a list" if isinstance(element, list) else "not an object"


class _TooLargeError(Exception):
    """An element that would not fit into memory."""


class _HashedBytes:
    """A file as the parser reads it: hashed again, and no further than one element may be long."""

    def __init__(self, hashed_file: HashedFile, watch: Callable[[int], None]) -> None:
        self.digest = hashlib.sha256()
        self.element_bytes = 0
        """Bytes read since the last element ended."""
        self.ended = False
        self._chunks = hashed_file.file.chunks()
        self._watch = watch

    def read(self, size: int, /) -> bytes:
        if size == 0:  # The parser asks whether this is bytes or text.
            return b""
        if self.element_bytes > MAX_ELEMENT_BYTES:
            raise _TooLargeError
        chunk = next(self._chunks, b"")
        self.ended = not chunk
        self.digest.update(chunk)
        self.element_bytes += len(chunk)
        self._watch(len(chunk))
        return chunk
