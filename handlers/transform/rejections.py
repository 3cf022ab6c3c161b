"""Why something could not become a row; `rejected_records` holds it with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

MAX_LINE_CHARACTERS = 16_384
"""How much of a rejected line is kept."""

LineReason: TypeAlias = Literal[
    "not_utf8",  # bytes that are no UTF-8
    "not_json",  # no JSON value, or more than one
    "too_deep",  # nested deeper than can be read
    "too_long",  # longer than a line may be
    "wrong_type",  # no object, or a value of another type in the grain
    "null_element",  # Spotify sent null for the record
    "missing_key",  # a column of the grain has no value
]
"""What is wrong with a line."""

ObjectReason: TypeAlias = Literal[
    "empty",  # no bytes
    "not_gzip",  # not compressed as it should be
    "truncated",  # the end is missing
    "corrupt",  # broken in the middle
    "surplus",  # more lines than its metadata says
    "foreign",  # not written by this project
    "not_json",  # a manifest that is no JSON
    "wrong_type",  # a manifest of another shape
    "too_long",  # a manifest larger than one can be
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
    """From 1; 0 speaks of the object itself."""
    reason: LineReason | ObjectReason
    detail: str
    line: bytes | None = None
    extracted_at: str | None = None

    @property
    def text(self) -> str | None:
        """The line as it is kept: cut at `MAX_LINE_CHARACTERS`, bytes that are no UTF-8 escaped."""
        if self.line is None:
            return None
        # A character takes four bytes at most, so nothing that is kept is lost by cutting the bytes first.
        return self.line[: 4 * MAX_LINE_CHARACTERS].decode(errors="backslashreplace")[:MAX_LINE_CHARACTERS]


class RejectedLineError(ValueError):
    """A line that cannot become a row."""

    def __init__(self, reason: LineReason, detail: str) -> None:
        super().__init__(detail)
        self.reason: LineReason = reason
        self.detail = detail
