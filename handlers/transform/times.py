"""Spotify's timestamps and release dates → Arrow, column by column."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from handlers.transform.arrow import Array, only_where, pc

MILLISECONDS = pa.timestamp("ms")
_UTC_MILLISECONDS = pa.timestamp("ms", "UTC")
_FIRST = pa.scalar(datetime(1, 1, 1, tzinfo=UTC).replace(tzinfo=None), MILLISECONDS)
_LAST = pa.scalar(datetime(9999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC).replace(tzinfo=None), MILLISECONDS)
_TIMESTAMP = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$"
_BEYOND_MILLISECONDS = r"(\.\d{3})\d+"
_WHOLE_DATE = r"^\d{4}-\d{2}-\d{2}$"
_YEAR = r"^\d{4}(-.*)?$"


def timestamps(texts: Array) -> Array:
    """UTC in milliseconds, of ISO 8601 texts with a zone; null for anything else."""
    shaped = only_where(_matches(texts, _TIMESTAMP), texts)
    shaped = pc.replace_substring_regex(shaped, _BEYOND_MILLISECONDS, r"\1")
    try:
        times = shaped.cast(_UTC_MILLISECONDS).cast(MILLISECONDS)
        # An offset may lead out of the four-digit years, which a `month` has and Python knows.
        return only_where(pc.and_(pc.greater_equal(times, _FIRST), pc.less_equal(times, _LAST)), times)
    except pa.ArrowInvalid:  # the 30th of February and the like
        return _each(shaped, _timestamp, MILLISECONDS)


def known(times: Array) -> Array:
    """Null for the epoch, by which Spotify says that it does not know."""
    return only_where(pc.not_equal(times, pa.scalar(0, MILLISECONDS)), times)


def days(texts: Array) -> Array:
    """Dates, of texts that are whole valid dates; null for anything else, a mere year or month among it."""
    shaped = only_where(_matches(texts, _WHOLE_DATE), texts)
    try:
        return shaped.cast(pa.date32())
    except pa.ArrowInvalid:
        return _each(shaped, _day, pa.date32())


def years(texts: Array) -> Array:
    """Years, of texts that begin with one; null for the year 0."""
    shaped = only_where(_matches(texts, _YEAR), texts)
    return pc.utf8_slice_codeunits(shaped, 0, 4).cast(pa.int32())


def _matches(texts: Array, pattern: str) -> Array:
    """Whether a text has a form; the year 0 is none, since neither Python nor SQL has it."""
    return pc.and_(pc.match_substring_regex(texts, pattern), pc.invert(pc.starts_with(texts, "0000")))


def _each(texts: Array, convert: Any, type_: pa.DataType) -> Any:
    """Convert every distinct text by Python: only where Arrow refuses one of them."""
    encoded = texts.dictionary_encode()
    values = pa.array([convert(text) for text in encoded.dictionary.to_pylist()], type_)
    return values.take(encoded.indices)


def _timestamp(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
