"""Date and time patterns: MySQL's (date_format) and Joda's (format_datetime) translated for DuckDB's strftime.

Source: https://trino.io/docs/current/functions/datetime.html
"""

from __future__ import annotations

import re

from embedded_aws.services.athena.errors import QueryError, not_supported

_MYSQL = {
    "%a": "%a",
    "%b": "%b",
    "%c": "%-m",
    "%d": "%d",
    "%e": "%-d",
    "%f": "%f",
    "%H": "%H",
    "%h": "%I",
    "%I": "%I",
    "%i": "%M",
    "%j": "%j",
    "%k": "%-H",
    "%l": "%-I",
    "%M": "%B",
    "%m": "%m",
    "%p": "%p",
    "%r": "%I:%M:%S %p",
    "%S": "%S",
    "%s": "%S",
    "%T": "%H:%M:%S",
    "%v": "%V",
    "%W": "%A",
    "%x": "%G",
    "%Y": "%Y",
    "%y": "%y",
    "%%": "%%",
}
_JODA = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "M": "%-m",
    "dd": "%d",
    "d": "%-d",
    "EEEE": "%A",
    "EEE": "%a",
    "E": "%a",
    "e": "%u",
    "xxxx": "%G",
    "ww": "%V",
    "HH": "%H",
    "H": "%-H",
    "hh": "%I",
    "h": "%-I",
    "a": "%p",
    "mm": "%M",
    "ss": "%S",
    "SSS": "%g",
}


def from_mysql(pattern: str) -> str:
    """Return a pattern of date_format or date_parse for strftime.

    Raises:
        QueryError: a part of it is not modelled.
    """

    def translate(match: re.Match[str]) -> str:
        if match[0] not in _MYSQL:
            raise not_supported(f"{match[0]} in a date pattern")
        return _MYSQL[match[0]]

    return re.sub(r"%.?", translate, pattern)


def from_joda(pattern: str) -> str:
    """Return a pattern of format_datetime for strftime.

    Raises:
        QueryError: a part of it is not modelled.
    """

    def translate(match: re.Match[str]) -> str:
        if match["quoted"] is not None:
            return match["quoted"].replace("%", "%%") or "'"
        if match["letters"] is None:
            return match[0].replace("%", "%%")
        if match[0] not in _JODA:
            raise not_supported(f"{match[0]} in a date pattern")
        return _JODA[match[0]]

    if pattern.replace("''", "").count("'") % 2:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Pattern ends in a quotation: {pattern}")
    return re.sub(r"'(?P<quoted>[^']*)'|(?P<letters>(?P<letter>[A-Za-z])(?P=letter)*)|[^']", translate, pattern)
