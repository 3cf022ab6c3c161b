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
_MINUTE = r"^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2})$"
_NO_TIME = pa.array([0, 1])
"""Numbers that an export has in place of a missing time."""
# Spotify was launched in 2008; a clock that is wrong by decades is useless. The ranges in seconds and in milliseconds
# are far apart, so the magnitude of a number gives its unit.
_FIRST_EPOCH = int(datetime(2008, 1, 1, tzinfo=UTC).timestamp())
_END_EPOCH = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())


def timestamps(texts: Array) -> Array:
    """Convert ISO 8601 texts with a zone to UTC in milliseconds; anything else is null."""
    shaped = only_where(_matches(texts, _TIMESTAMP), texts)
    shaped = pc.replace_substring_regex(shaped, _BEYOND_MILLISECONDS, r"\1")
    try:
        times = shaped.cast(_UTC_MILLISECONDS).cast(MILLISECONDS)
        # An offset may lead outside the four-digit years that a `month` and Python support.
        return only_where(pc.and_(pc.greater_equal(times, _FIRST), pc.less_equal(times, _LAST)), times)
    except pa.ArrowInvalid:  # the 30th of February and the like
        return _each(shaped, _timestamp, MILLISECONDS)


def known(times: Array) -> Array:
    """Replace the epoch by null: Spotify sends it for an unknown time."""
    return only_where(pc.not_equal(times, pa.scalar(0, MILLISECONDS)), times)


def meant(epochs: Array) -> Array:
    """Return an export's times as they are, with null for the numbers that mean there is none."""
    return only_where(pc.invert(pc.is_in(epochs, _NO_TIME)), epochs)


def of_epochs(epochs: Array) -> Array:
    """Convert seconds or milliseconds since 1970 to UTC in milliseconds; null outside 2008 to 2099."""
    seconds = _between(epochs, _FIRST_EPOCH, _END_EPOCH)
    milliseconds = only_where(_between(epochs, _FIRST_EPOCH * 1000, _END_EPOCH * 1000), epochs)
    scaled = pc.multiply(only_where(seconds, epochs), 1000)
    return pc.coalesce(scaled, milliseconds).cast(MILLISECONDS)


def minutes_as_timestamps(texts: Array) -> Array:
    """Convert texts such as `2024-05-03 12:00`, in UTC, to ISO 8601; other texts stay as they are."""
    return pc.replace_substring_regex(texts, _MINUTE, r"\1T\2:00Z")


def days(texts: Array) -> Array:
    """Convert complete, valid dates; anything else is null, including a year or month alone."""
    shaped = only_where(_matches(texts, _WHOLE_DATE), texts)
    try:
        return shaped.cast(pa.date32())
    except pa.ArrowInvalid:
        return _each(shaped, _day, pa.date32())


def years(texts: Array) -> Array:
    """Return the years that texts start with; null for the year 0."""
    shaped = only_where(_matches(texts, _YEAR), texts)
    return pc.utf8_slice_codeunits(shaped, 0, 4).cast(pa.int32())


def _matches(texts: Array, pattern: str) -> Array:
    """Return whether texts match a pattern and are not in the year 0, which neither Python nor SQL has."""
    return pc.and_(pc.match_substring_regex(texts, pattern), pc.invert(pc.starts_with(texts, "0000")))


def _between(numbers: Array, first: int, end: int) -> Array:
    return pc.and_(pc.greater_equal(numbers, first), pc.less(numbers, end))


def _each(texts: Array, convert: Any, type_: pa.DataType) -> Any:
    """Convert every distinct text with Python, for when Arrow refuses one of them."""
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
