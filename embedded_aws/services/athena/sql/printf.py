"""Trino's `format`, which is Java's: each conversion becomes the SQL that writes its argument.

Source: https://docs.oracle.com/en/java/javase/24/docs/api/java.base/java/util/Formatter.html
"""

from __future__ import annotations

import re

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql import nodes

_CONVERSION = re.compile(r"%(?P<flags>[-,0+( #]*)(?P<width>\d+)?(?:\.(?P<places>\d+))?(?P<letter>[a-zA-Z%])")
_TEXTS = {*exp.DataType.TEXT_TYPES}
_DECIMALS = {exp.DType.DECIMAL, exp.DType.DOUBLE}


def rewrite_format(node: exp.Anonymous) -> exp.Expr:
    """Rewrite a call of `format`.

    Raises:
        QueryError: a conversion is not modelled, or does not fit its argument.
    """
    nodes.refuse_zones(node)
    pattern = nodes.text(node.expressions[0], "A format")
    arguments = iter(node.expressions[1:])
    parts: list[exp.Expr] = []
    end = 0
    for found in _CONVERSION.finditer(pattern):
        parts.append(_between(pattern[end : found.start()], pattern))
        end = found.end()
        argument = None if found[0] == "%%" else next(arguments, None)
        if found[0] == "%%":
            parts.append(exp.Literal.string("%"))
        elif argument is None:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid format string: {pattern}: nothing for {found[0]}")
        else:
            parts.append(_converted(found, argument.copy()))
    parts.append(_between(pattern[end:], pattern))
    return nodes.call("concat", *parts)


def _between(text: str, pattern: str) -> exp.Expr:
    """Return the text between two conversions."""
    if "%" in text:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid format string: {pattern}")
    return exp.Literal.string(text)


def _converted(found: re.Match[str], argument: exp.Expr) -> exp.Expr:
    letter, flags = found["letter"], set(found["flags"])
    if letter not in "sdf" or flags - set("-,0"):
        raise not_supported(f"The format {found[0]}")
    write = {"s": _any, "d": _integer, "f": _fraction}[letter]
    text = exp.Coalesce(this=write(found, argument), expressions=[exp.Literal.string("null")])
    if found["width"] is None:
        return text
    is_left, is_filled = "-" in flags, "0" in flags
    if is_filled and (is_left or "," in flags):
        raise not_supported(f"The format {found[0]}")
    mode = "left" if is_left else "zeros" if is_filled else "right"
    return nodes.call("trino_padded", text, exp.Literal.number(int(found["width"])), exp.Literal.string(mode))


def _any(found: re.Match[str], argument: exp.Expr) -> exp.Expr:
    kind = nodes.kind(argument)
    if isinstance(argument, exp.Null):
        return argument
    if found["flags"].strip("-") or found["places"]:
        raise not_supported(f"The format {found[0]}")
    if kind not in {*_TEXTS, *nodes.INTEGERS, exp.DType.BOOLEAN, exp.DType.DATE, exp.DType.DECIMAL}:
        known = kind.value.lower() if kind is not None else "unknown"
        raise not_supported(f"{found[0]} of a value whose type is {known}; cast it to varchar")
    return exp.Cast(this=argument, to=exp.DataType.build("varchar"))


def _integer(found: re.Match[str], argument: exp.Expr) -> exp.Expr:
    if isinstance(argument, exp.Null):
        return argument
    _require(nodes.kind(argument) in nodes.INTEGERS, found, argument)
    if found["places"]:
        raise not_supported(f"The format {found[0]}")
    if "," in found["flags"]:
        return nodes.call("format", exp.Literal.string("{:,}"), argument)
    return exp.Cast(this=argument, to=exp.DataType.build("varchar"))


def _fraction(found: re.Match[str], argument: exp.Expr) -> exp.Expr:
    if isinstance(argument, exp.Null):
        return argument
    _require(nodes.kind(argument) in _DECIMALS, found, argument)
    places = int(found["places"] or 6)
    # Rounded half up from the shortest digits, as in Java.
    text: exp.Expr = exp.Cast(this=argument, to=exp.DataType.build("varchar"))
    rounded = exp.Cast(this=text, to=exp.DataType.build(f"decimal(38, {places})"))
    written = exp.Cast(this=rounded, to=exp.DataType.build("varchar"))
    return nodes.call("trino_grouped", written) if "," in found["flags"] else written


def _require(is_right: bool, found: re.Match[str], argument: exp.Expr) -> None:
    kind = nodes.kind(argument)
    if kind in {None, exp.DType.UNKNOWN}:
        raise not_supported(f"{found[0]} of a value of unknown type; cast it")
    if not is_right:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Invalid format string: {found[0]} for {kind.value.lower()}")
