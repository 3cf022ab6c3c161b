"""The parameters of a query: the columns of its first CTE, `parameters`, each a default that a caller can replace.

    WITH parameters AS (
        SELECT
            CAST(NULL AS date) AS from_date, -- first local day
            50 AS number -- artists per account
    ),

The query is therefore valid SQL as it is: in Athena's console, people edit the defaults. Only the text of a default is
replaced, by a literal of its type; comments and everything else stay as they were.
"""

from __future__ import annotations

import calendar
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Literal

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from cli.errors import CommandError
from cli.text import quoted

ParameterType = Literal["date", "number", "text"]

FROM_DATE, TO_DATE = "from_date", "to_date"
"""The parameters of a period; a second period has them with a prefix."""
COMPARED = "compared_"
"""The prefix of the period that another one is compared to."""

_CTE = "parameters"
_OPENING: tuple[TokenType | str, ...] = (TokenType.WITH, _CTE, TokenType.ALIAS, TokenType.L_PAREN, TokenType.SELECT)
_TYPES: Mapping[exp.DType, ParameterType] = {
    exp.DType.DATE: "date",
    exp.DType.INT: "number",
    exp.DType.BIGINT: "number",
    exp.DType.VARCHAR: "text",
}
_DAY = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter of a query."""

    name: str
    type: ParameterType
    default: str | None
    """As text; None for null."""
    description: str
    """The comment behind it."""
    start: int
    """Where the expression of the default begins in the query."""
    end: int
    """The end of the expression, exclusive."""


@functools.cache
def parameters_of(sql: str) -> tuple[Parameter, ...]:
    """Return the parameters of a query in Athena's dialect, in order; none if it does not have the CTE."""
    try:
        tokens = sqlglot.tokenize(sql, read="trino")
    except SqlglotError:
        return ()
    if len(tokens) < len(_OPENING) or not all(_is(token, kind) for token, kind in zip(tokens, _OPENING, strict=False)):
        return ()
    found = (_parameter(sql, item) for item in _items(tokens[len(_OPENING) :]))
    return tuple(parameter for parameter in found if parameter)


def with_parameters(sql: str, values: Mapping[str, str]) -> str:
    """Return a query with the values as the defaults of its parameters; an empty value is null.

    Raises:
        CommandError: the query has no such parameter, a value has the wrong type, or a period ends before it begins.
    """
    known = {parameter.name: parameter for parameter in parameters_of(sql)}
    for name in values:
        if name not in known:
            takes = f"its parameters are {', '.join(known)}" if known else "it has none"
            raise CommandError(f"The query has no parameter {quoted(name)}: {takes}.")
    _check_periods({name: parameter.default for name, parameter in known.items()} | dict(values))
    for name in sorted(values, key=lambda name: known[name].start, reverse=True):
        parameter = known[name]
        sql = f"{sql[: parameter.start]}{_literal(parameter, values[name])}{sql[parameter.end :]}"
    return sql


def with_expressions(sql: str, expression: Callable[[Parameter], str]) -> str:
    """Return a query with the default of each parameter replaced by an expression in Athena's dialect."""
    for parameter in reversed(parameters_of(sql)):
        sql = f"{sql[: parameter.start]}{expression(parameter)}{sql[parameter.end :]}"
    return sql


def period(year: str = "", from_: str = "", to: str = "", *, prefix: str = "") -> dict[str, str]:
    """Return the parameters of a period of local days, first and last included; none if nothing is given.

    Args:
        year: the whole year, `YYYY`.
        from_: the first day, or the first of a month or year: `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
        to: the last day, or the last of a month or year.
        prefix: of the parameters' names.

    Raises:
        CommandError: a day does not exist, or a year is given along with another day.
    """
    if year and (from_ or to):
        raise CommandError("Pass either a year or the first and last day: a query has one period.")
    days = {}
    if year or from_:
        days[prefix + FROM_DATE] = _days(year or from_)[0].isoformat()
    if year or to:
        days[prefix + TO_DATE] = _days(year or to)[1].isoformat()
    return days


def compared_period(text: str) -> dict[str, str]:
    """Return the parameters of the period that another one is compared to.

    Args:
        text: a day, month or year, or two of them with two dots between: `2019`, `2019-06`, `2019-06-01..2019-08-31`.

    Raises:
        CommandError: it is none of these.
    """
    first, dots, last = text.partition("..")
    if not first or (dots and not last):
        raise CommandError(f"{quoted(text)} is not a period: write a year such as 2019, or 2019-06-01..2019-08-31.")
    return period(from_=first, to=last or first, prefix=COMPARED)


def _is(token: Token, expected: TokenType | str) -> bool:
    return token.text.lower() == expected if isinstance(expected, str) else token.token_type == expected


def _items(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """Return the expressions of a SELECT with their names, each with the comma behind it, where comments are."""
    depth = 0
    cuts = [0]
    for index, token in enumerate(tokens):
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        if depth < 0 or (depth == 0 and token.token_type == TokenType.FROM):
            cuts.append(index)
            break
        if depth == 0 and token.token_type == TokenType.COMMA:
            cuts.append(index + 1)
    return [tokens[first:last] for first, last in pairwise(cuts)]


def _parameter(sql: str, item: Sequence[Token]) -> Parameter | None:
    """Return the parameter, or None for an expression that is not a literal, or has no name."""
    comments = [comment.strip() for token in item[-2:] for comment in token.comments]
    tokens = [token for token in item if token.token_type != TokenType.COMMA or token is not item[-1]]
    match tokens:
        case [first, *_, last, Token(token_type=TokenType.ALIAS), name]:
            pass
        case [first, Token(token_type=TokenType.ALIAS), name]:
            last = first
        case _:
            return None
    value = _value(sql[first.start : last.end + 1])
    if value is None:
        return None
    kind, default = value
    return Parameter(
        name=name.text,
        type=kind,
        default=default,
        description=" ".join(comments),
        start=first.start,
        end=last.end + 1,
    )


@functools.cache
def _value(expression: str) -> tuple[ParameterType, str | None] | None:
    """Return type and value of a literal, which may be cast; None for anything else."""
    try:
        tree = sqlglot.parse_one(expression, read="trino")
    except SqlglotError:
        return None
    match tree:
        case exp.Cast(this=exp.Null() | exp.Literal() as inner) if kind := _TYPES.get(tree.to.this):
            return kind, None if isinstance(inner, exp.Null) else inner.name
        case exp.Literal(is_string=True):
            return "text", tree.name
        case exp.Literal(is_int=True):
            return "number", tree.name
        case _:
            return None


def _literal(parameter: Parameter, text: str) -> str:
    """Return a value as SQL.

    Raises:
        CommandError: it does not have the parameter's type.
    """
    if parameter.type == "number":
        if not _NUMBER.fullmatch(text):
            raise CommandError(f"{parameter.name} must be a whole number such as 20, not {quoted(text) or 'empty'}.")
        return str(int(text))
    if parameter.type == "date":
        return f"DATE '{_day(parameter.name, text)}'" if text else "CAST(NULL AS date)"
    if not text:
        return "CAST(NULL AS varchar)"
    if "\0" in text or not _is_unicode(text):
        raise CommandError(f"{parameter.name} has a character that SQL cannot hold: type the value again.")
    escaped = text.replace("'", "''")
    return f"CAST('{escaped}' AS varchar)"


def _is_unicode(text: str) -> bool:
    """Return whether the text has no lone surrogates, as an argument in another encoding has."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _check_periods(values: Mapping[str, str | None]) -> None:
    for name, last in values.items():
        prefix = name.removesuffix(TO_DATE)
        first = values.get(prefix + FROM_DATE)
        if name.endswith(TO_DATE) and first and last:
            begins, ends = _day(prefix + FROM_DATE, first), _day(name, last)
            if ends < begins:
                raise CommandError(f"The period ends on {ends}, before it begins on {begins}: swap the two days.")


def _day(name: str, text: str) -> date:
    matched = _DAY.fullmatch(text)
    if not matched or not matched["day"]:
        raise CommandError(f"{name} must be a day such as 2026-03-31, not {quoted(text)}.")
    return _days(text)[0]


def _days(text: str) -> tuple[date, date]:
    """Return the first and last day of a year, a month or a day.

    Raises:
        CommandError: there is no such day.
    """
    matched = _DAY.fullmatch(text)
    if not matched:
        raise CommandError(f"{quoted(text)} is not a day: write 2026-03-31, or 2026-03 or 2026 for all of it.")
    year, month, day = (int(matched[part] or 0) for part in ("year", "month", "day"))
    last_month = month or 12
    try:
        last_day = day or calendar.monthrange(year, last_month)[1]
        return date(year, month or 1, day or 1), date(year, last_month, last_day)
    except ValueError as error:
        raise CommandError(f"There is no {text} in the calendar: write a day such as 2026-03-31.") from error
