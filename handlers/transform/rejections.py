"""The reasons why something cannot become a row of its table, and the rows of `rejected_records`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

MAX_LINE_CHARACTERS = 16_384
"""Maximum number of characters kept of a rejected line."""

LineReason: TypeAlias = Literal[
    "not_utf8",  # bytes that are not UTF-8
    "not_json",  # not one JSON value
    "too_deep",  # nested deeper than can be read
    "too_long",  # longer than allowed
    "wrong_type",  # not an object, or a value of another type in the grain
    "null_element",  # Spotify sent null for the record
    "missing_key",  # a column of the grain has no value
]
"""What is wrong with a line."""

ObjectReason: TypeAlias = Literal[
    "empty",  # no bytes
    "not_gzip",  # not compressed as expected
    "truncated",  # the end is missing
    "corrupt",  # damaged
    "surplus",  # not as many lines as its metadata says
    "foreign",  # not written by this project
    "not_json",  # a manifest that is not JSON
    "wrong_type",  # a manifest of another shape
    "too_long",  # a manifest that is implausibly large
    "too_many_bad_lines",  # cut off, see cut_off.py
    "too_many_months",  # the same
    "too_large",  # the same
    "too_slow",  # the same
]
"""What is wrong with an object as a whole: a row with line 0."""


@dataclass(frozen=True)
class Rejection:
    """One row of `rejected_records`."""

    line_number: int
    """From 1; 0 is the object itself."""
    reason: LineReason | ObjectReason
    detail: str
    line: bytes | None = None
    extracted_at: str | None = None

    @property
    def text(self) -> str | None:
        """The line as it is kept: truncated to `MAX_LINE_CHARACTERS`, bytes that are not UTF-8 escaped."""
        if self.line is None:
            return None
        # A character takes at most four bytes, so truncating the bytes first loses nothing that is kept.
        return self.line[: 4 * MAX_LINE_CHARACTERS].decode(errors="backslashreplace")[:MAX_LINE_CHARACTERS]


class RejectedLineError(ValueError):
    """The line cannot become a row."""

    def __init__(self, reason: LineReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: LineReason = reason
        self.detail = detail
