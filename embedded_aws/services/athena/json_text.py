"""The text of a JSON value as Trino writes it: without spaces, doubles as Java has them, keys sorted by json_parse."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from embedded_aws.services.athena.errors import not_supported

_CONTROL = re.compile(r"\\u[0-9a-f]{4}")
_BEYOND = re.compile("[\U00010000-\U0010ffff]")


class _Number(str):
    """A number's text."""

    __slots__ = ()


def trino_json(text: str, double: Callable[[float], str]) -> str:
    """Return the text of a value.

    Args:
        text: as DuckDB has it; a space at the beginning means that keys are sorted, the last of equal ones counting.
        double: writes a double.

    Raises:
        QueryError: a number is too large.
    """

    def number(found: str) -> _Number:
        value = float(found)
        if not math.isfinite(value):
            raise not_supported("A JSON number beyond double")
        return _Number(double(value))

    value = json.loads(
        text,
        object_pairs_hook=_sorted if text.startswith(" ") else tuple,
        parse_float=number,
        parse_int=lambda found: _Number(int(found)),
    )
    return _written(value)


def _sorted(pairs: list[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(dict(pairs).items(), key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass")))


def _written(value: Any) -> str:
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, tuple):
        return f"{{{','.join(f'{_written(key)}:{_written(item)}' for key, item in value)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_written, value))}]"
    written = _CONTROL.sub(lambda found: f"\\u{found[0][2:].upper()}", json.dumps(value, ensure_ascii=False))
    return _BEYOND.sub(_surrogates, written)


def _surrogates(found: re.Match[str]) -> str:
    """Return a character as the two escapes that Java's writer makes of it."""
    pair = found[0].encode("utf-16-be")
    return f"\\u{pair[:2].hex().upper()}\\u{pair[2:].hex().upper()}"
