"""Timestamps in requests and responses.

botocore guesses the format of each timestamp with dateutil, which takes longer than everything else about a listed
object; moto does the same on its side.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from unittest.mock import patch

from botocore.utils import parse_timestamp, parse_to_aware_datetime
from dateutil.tz import tzutc  # type: ignore[import-untyped] # no stubs are installed
from moto.core import serialize

_ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)
_HTTP_DATE = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", re.ASCII)


def parsed_timestamp(value: Any) -> datetime:
    """Return the moment that a timestamp of a response means, as botocore parses it.

    Raises:
        ValueError: it is not a timestamp.
    """
    return _parsed(value) or parse_timestamp(value)


@contextmanager
def quick_timestamps() -> Iterator[None]:
    """Let moto parse the usual formats without guessing in this context."""

    def parsed(value: Any) -> datetime:
        return _parsed(value) or parse_to_aware_datetime(value)

    with patch.object(serialize, "parse_to_aware_datetime", parsed):
        yield


def _parsed(value: Any) -> datetime | None:
    """Return the moment of a timestamp in UTC in one of the usual formats, else None."""
    if not isinstance(value, str):
        return None
    try:
        if _ISO_8601.fullmatch(value):
            return datetime.fromisoformat(value).replace(tzinfo=tzutc())
        if _HTTP_DATE.fullmatch(value):
            return parsedate_to_datetime(value).replace(tzinfo=tzutc())
    except ValueError:
        pass
    return None
