"""Reads the plays in a file of Spotify's privacy export in constant memory, keeping only documented fields.

A file is one JSON list; `handlers.streaming_history` says which fields of its elements are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime
from typing import Any

from cli.diagnosis import Problem
from cli.export_files import DamagedFileError, HashedFile, unreadable
from cli.json_elements import MAX_DEPTH, PARSER_ERRORS, TOO_DEEP, NoListError, read_elements
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
"""The largest element that is read; a play takes less than a thousand bytes."""


@dataclass
class Span:
    """The times of the first and the last play, in UTC; None if there is no play."""

    first: datetime | None = None
    last: datetime | None = None

    def add(self, moment: datetime) -> None:
        """Extend the span to the time of a play."""
        self.first = min(self.first or moment, moment)
        self.last = max(self.last or moment, moment)

    def join(self, other: Span) -> None:
        """Extend the span to another one."""
        for moment in (other.first, other.last):
            if moment:
                self.add(moment)


@dataclass
class RejectedElements:
    """The elements that cannot become rows, by reason; it holds nothing of their text."""

    count: int = 0
    numbers: dict[str, list[int]] = field(default_factory=dict)
    """The first elements with each reason, numbered from 1."""

    def add(self, number: int, reason: str) -> None:
        """Add an element."""
        self.count += 1
        noted = self.numbers.setdefault(reason, [])
        if len(noted) <= _NUMBERS_SHOWN:
            noted.append(number)

    def __str__(self) -> str:
        """Return each reason with its elements' numbers: `null (elements 1, 7), not an object (element 3)`."""
        return ", ".join(f"{reason} ({_numbered(numbers)})" for reason, numbers in self.numbers.items())


class Duplicates:
    """Counts the plays that equal another one in every field that is kept, within one file or across files."""

    def __init__(self) -> None:
        self.count = 0
        """How many there are, not counting the first of each."""
        self._seen: set[int] = set()

    def add(self, record: Mapping[str, Any]) -> None:
        """Add a play."""
        mark = hash(frozenset(record.items()))
        self.count += mark in self._seen
        self._seen.add(mark)


@dataclass
class FileReading:
    """One pass over a file; the other attributes are final once `records` has been exhausted."""

    hashed_file: HashedFile
    on_bytes: Callable[[int], None]
    """Called with the number of bytes of each piece that is read."""
    _: KW_ONLY
    now: datetime
    """When the import began; plays dated well after it are in the future."""
    duplicates: Duplicates | None = None
    """Counts duplicate plays; None if they are not counted."""
    elements: int = 0
    """Elements of the list that were read completely."""
    plays: int = 0
    """How many of them become rows in `plays`."""
    account_data_plays: int = 0
    """How many of the plays have the form of the small export."""
    early_plays: int = 0
    """How many of the plays are dated before `EARLIEST`."""
    future_plays: int = 0
    """How many of the plays are dated more than `MAX_AHEAD` after the import."""
    rejected: RejectedElements = field(default_factory=RejectedElements)
    """The elements that do not become plays."""
    span: Span = field(default_factory=Span)
    months: set[tuple[int, int]] = field(default_factory=set)
    """The months of its plays; counting stops one above `MAX_MONTHS`."""
    problem: Problem | None = None
    """Why the file could not be read to its end; it contains nothing of the file's text."""

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the kept fields of each element that is an object, even if it cannot become a row."""
        source = _HashedBytes(self.hashed_file, self.on_bytes)
        try:
            for element in read_elements(source):
                self.elements += 1
                if isinstance(element, dict):
                    yield self._record(element)
                else:
                    self.rejected.add(self.elements, _reason(element))
                source.element_bytes = 0
            if source.digest.hexdigest() != self.hashed_file.content_hash:
                self.problem = Problem("the file changed while it was read", "run the command again")
        except NoListError:
            self.problem = Problem("the file is not a list of plays")
        except PARSER_ERRORS:
            # The parser's message is not used because it quotes the file.
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
            self.rejected.add(self.elements, reason)
        elif moment := played_at(record):
            self.plays += 1
            if self.duplicates:
                self.duplicates.add(record)
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


def _reason(element: Any) -> str:
    if element is TOO_DEEP:
        return f"nested deeper than {MAX_DEPTH} levels"
    if element is None:
        return "null"
    return "a list" if isinstance(element, list) else "not an object"


class _TooLargeError(Exception):
    """An element is too large."""


class _HashedBytes:
    """A file's bytes for the parser, which hashes them again and limits the size of an element."""

    def __init__(self, hashed_file: HashedFile, on_bytes: Callable[[int], None]) -> None:
        self.digest = hashlib.sha256()
        self.element_bytes = 0
        """Bytes read since the last element ended."""
        self.ended = False
        self._chunks = hashed_file.file.chunks()
        self._on_bytes = on_bytes

    def read(self, size: int, /) -> bytes:
        if size == 0:  # The parser reads nothing once, to tell bytes from text.
            return b""
        if self.element_bytes > MAX_ELEMENT_BYTES:
            raise _TooLargeError
        chunk = next(self._chunks, b"")
        self.ended = not chunk
        self.digest.update(chunk)
        self.element_bytes += len(chunk)
        self._on_bytes(len(chunk))
        return chunk
