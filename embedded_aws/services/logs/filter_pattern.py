"""Filter patterns of CloudWatch Logs: terms, and conditions on JSON.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable, Iterator
from typing import Any

Matches = Callable[[str], bool]
"""Whether the message of an event matches."""

_Condition = Callable[[Any], bool]
"""Whether the content of an event, parsed from JSON, matches."""

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<quoted>(?:\\.|[^"\\])*)"|%(?P<regex>[^%]+)%|(?P<word>\w+))(?=\s|$)')
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<symbol>&&|\|\||!=|<=|>=|[()=<>])
      | (?P<selector>\$(?:\.[\w-]+|\[(?:\d+|\*)\]|\['[^']+'\])*)
      | "(?P<quoted>(?:\\.|[^"\\])*)"
      | %(?P<regex>[^%]+)%
      | (?P<word>[^\s()=<>!&|"%]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"\.([\w-]+)|\[(\d+|\*)\]|\['([^']+)'\]")
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class FilterPatternError(ValueError):
    """A pattern that AWS rejects, or that is not modelled."""


@functools.lru_cache(maxsize=64)
def parse(pattern: str) -> Matches:
    """Parse a pattern; an empty one matches everything.

    Raises:
        FilterPatternError: it is invalid, or one by columns.
    """
    text = pattern.strip()
    if text.startswith("["):
        raise FilterPatternError(
            "The embedded AWS does not filter by columns ([…]): filter by terms, or by fields of JSON ({…})."
        )
    if not text.startswith("{"):
        return _terms(text)
    if not text.endswith("}"):
        raise _invalid(pattern)
    condition = _JsonPattern(text[1:-1]).parse()

    def matches(message: str) -> bool:
        try:
            content = json.loads(message)
        except ValueError:
            return False
        return isinstance(content, dict) and condition(content)

    return matches


def _terms(text: str) -> Matches:
    required: list[Matches] = []
    optional: list[Matches] = []
    excluded: list[Matches] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise _invalid(text)
        at = found.end()
        {"": required, "?": optional, "-": excluded}[found["sign"]].append(_term(found))

    def matches(message: str) -> bool:
        if any(term(message) for term in excluded) or not all(term(message) for term in required):
            return False
        # Beside other terms, AWS ignores those with a question mark.
        return bool(required or excluded) or not optional or any(term(message) for term in optional)

    return matches


def _term(found: re.Match[str]) -> Matches:
    if found["regex"] is not None:
        return _searching(found["regex"])
    wanted = found["word"] if found["word"] is not None else _unescaped(found["quoted"])
    return lambda message: wanted in message


class _JsonPattern:
    """Parses what is between the braces of a pattern: comparisons, `&&`, `||` and parentheses."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._read(text))
        self._at = 0

    def parse(self) -> _Condition:
        condition = self._any()
        if self._at < len(self._tokens):
            raise _invalid(self._text)
        return condition

    def _read(self, text: str) -> Iterator[tuple[str, str]]:
        at = 0
        text = text.rstrip()
        while at < len(text):
            found = _TOKEN.match(text, at)
            if found is None or found.lastgroup is None:
                raise _invalid(text)
            yield found.lastgroup, found[found.lastgroup]
            at = found.end()

    def _any(self) -> _Condition:
        parts = [self._all()]
        while self._takes("symbol", "||"):
            parts.append(self._all())
        return lambda content: any(part(content) for part in parts)

    def _all(self) -> _Condition:
        parts = [self._single()]
        while self._takes("symbol", "&&"):
            parts.append(self._single())
        return lambda content: all(part(content) for part in parts)

    def _single(self) -> _Condition:
        if self._takes("symbol", "("):
            inner = self._any()
            if not self._takes("symbol", ")"):
                raise _invalid(self._text)
            return inner
        selector = self._next("selector")
        values = functools.partial(_selected, path=_path(selector))
        kind, sign = self._token()
        if kind == "word":
            return self._of_words(sign.upper(), values)
        test = self._comparison(sign)
        if sign == "!=":
            # Holds for a field that is there and differs.
            return lambda content: bool(found := list(values(content))) and not any(test(each) for each in found)
        return lambda content: any(test(value) for value in values(content))

    def _of_words(self, first: str, values: Callable[[Any], Iterator[Any]]) -> _Condition:
        second = self._next("word").upper()
        if (first, second) == ("NOT", "EXISTS"):
            return lambda content: not list(values(content))
        wanted = {"NULL": None, "TRUE": True, "FALSE": False}
        if first != "IS" or second not in wanted:
            raise _invalid(self._text)
        return lambda content: any(value is wanted[second] for value in values(content))

    def _comparison(self, sign: str) -> Callable[[Any], bool]:
        kind, wanted = self._token()
        if sign in _ORDERS:
            compare, limit = _ORDERS[sign], _number(wanted)
            if kind != "word" or limit is None:
                raise _invalid(self._text)
            return functools.partial(_compares, compare=compare, limit=limit)
        if sign not in {"=", "!="} or kind not in {"quoted", "regex", "word"}:
            raise _invalid(self._text)
        if kind == "regex":
            found = _searching(wanted)
            return lambda value: isinstance(value, str) and found(value)
        text = _unescaped(wanted) if kind == "quoted" else wanted
        pattern = re.compile(".*".join(re.escape(part) for part in text.split("*")), re.DOTALL)
        number = _number(text) if kind == "word" else None

        def equals(value: Any) -> bool:
            if _is_number(value):
                return number is not None and bool(value == number)
            return isinstance(value, str) and pattern.fullmatch(value) is not None

        return equals

    def _token(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _invalid(self._text)
        self._at += 1
        return self._tokens[self._at - 1]

    def _next(self, kind: str) -> str:
        found, text = self._token()
        if found != kind:
            raise _invalid(self._text)
        return text

    def _takes(self, kind: str, text: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == (kind, text):
            self._at += 1
            return True
        return False


def _path(selector: str) -> tuple[str | int | None, ...]:
    """Return the steps of a selector: names, positions, and None for every element."""
    steps: list[str | int | None] = []
    for name, position, quoted in _STEP.findall(selector):
        if position:
            steps.append(None if position == "*" else int(position))
        else:
            steps.append(name or quoted)
    return tuple(steps)


def _selected(content: Any, path: tuple[str | int | None, ...]) -> Iterator[Any]:
    if not path:
        yield content
        return
    step, rest = path[0], path[1:]
    if isinstance(step, str):
        if isinstance(content, dict) and step in content:
            yield from _selected(content[step], rest)
    elif isinstance(content, list):
        for element in content if step is None else content[step : step + 1]:
            yield from _selected(element, rest)


def _searching(expression: str) -> Matches:
    try:
        found = re.compile(expression)
    except re.error as error:
        raise FilterPatternError(f"Invalid filter pattern: %{expression}% is not a regular expression.") from error
    return lambda text: found.search(text) is not None


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _compares(value: Any, compare: Callable[[float, float], bool], limit: float) -> bool:
    return _is_number(value) and compare(value, limit)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _invalid(pattern: str) -> FilterPatternError:
    return FilterPatternError(f"Invalid filter pattern: {pattern.strip()}")
