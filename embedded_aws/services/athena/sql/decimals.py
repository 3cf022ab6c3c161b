"""Decimals: Trino's types of their literals, sums, products and quotients, and how to compute them in DuckDB.

Source: https://trino.io/docs/current/functions/decimal.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlglot import exp

from embedded_aws.services.athena.errors import not_supported
from embedded_aws.services.athena.sql import nodes

_MOST = 38
_DIGITS = {exp.DType.TINYINT: 3, exp.DType.SMALLINT: 5, exp.DType.INT: 10, exp.DType.BIGINT: 19}
"""Digits of an integer that becomes a decimal."""

_COMPUTED = {
    **{name: name for name in ("avg", "ceil", "floor", "mod", "round", "sign")},
    "ceiling": "ceil",
    "truncate": "trunc",
}
"""Functions whose result has another type in DuckDB, and their names there."""

_KEEPING = (
    "abs", "any_value", "arbitrary", "avg", "first_value", "lag", "last_value", "lead", "max", "min", "nth_value",
    "nullif",
)  # fmt: skip
"""Functions whose result has the type of their first argument."""

Size = tuple[int, int]
"""Precision and scale."""


def literal(text: str) -> exp.DataType:
    """Return the type of a number that is written with a point."""
    whole, _, fraction = text.strip().lstrip("+-").partition(".")
    digits = len(whole.lstrip("0")) + len(fraction)
    return decimal((max(digits, len(fraction), 1), len(fraction)))


def decimal(size: Size) -> exp.DataType:
    """Return a type."""
    return exp.DataType(
        this=exp.DType.DECIMAL, expressions=[exp.DataTypeParam(this=exp.Literal.number(part)) for part in size]
    )


def size_of(node: exp.Expr) -> Size | None:
    """Return the precision and scale of a decimal, or of an integer as one; None for anything else."""
    kind = node.type
    if kind is None:
        return None
    if kind.this in _DIGITS:
        return _DIGITS[kind.this], 0
    if kind.this == exp.DType.DECIMAL and len(kind.expressions) == 2:
        precision, scale = (int(part.name) for part in kind.expressions)
        return precision, scale
    return None


def arithmetic_type(node: exp.Binary) -> exp.DataType | None:
    """Return the type of an operation on decimals; None if it is not one, or an operand's size is unknown."""
    if not _is_decimal(node.left) and not _is_decimal(node.right):
        return None
    left, right = size_of(node.left), size_of(node.right)
    if left is None or right is None:
        return None
    (p1, s1), (p2, s2) = left, right
    scale = max(s1, s2)
    if isinstance(node, exp.Mul):
        size = p1 + p2, s1 + s2
    elif isinstance(node, exp.Div):
        size = p1 + s2 + max(0, s2 - s1), scale
    elif isinstance(node, exp.Mod):
        size = min(p1 - s1, p2 - s2) + scale, scale
    else:
        size = max(p1 - s1, p2 - s2) + scale + 1, scale
    return decimal((min(_MOST, size[0]), size[1]))


def common_type(arguments: Iterable[exp.Expr]) -> exp.DataType | None:
    """Return the type that decimals and integers have in common; None if there is another type among them."""
    arguments = [one for one in arguments if not isinstance(one, exp.Null)]
    sizes = [size_of(one) for one in arguments]
    if not any(map(_is_decimal, arguments)) or None in sizes:
        return None
    known = [size for size in sizes if size is not None]
    scale = max(size[1] for size in known)
    return decimal((min(_MOST, max(size[0] - size[1] for size in known) + scale), scale))


def function_type(name: str, arguments: list[exp.Expr]) -> exp.DataType | None:
    """Return the type of a function of a decimal; None if it is not one."""
    size = size_of(arguments[0]) if arguments and _is_decimal(arguments[0]) else None
    if size is None:
        return None
    precision, scale = size
    if name == "mod":
        return common_type(arguments)
    whole = (min(_MOST, precision - scale + min(scale, 1)), 0)
    sizes: dict[str, Size] = {
        **dict.fromkeys(_KEEPING, size),
        "ceil": whole,
        "ceiling": whole,
        "floor": whole,
        "round": whole if len(arguments) == 1 else (min(_MOST, precision + 1), scale),
        "sign": (1, 0),
        "sum": (_MOST, scale),
        "truncate": (max(precision - scale, 1), 0) if len(arguments) == 1 else size,
    }
    return decimal(sizes[name]) if name in sizes else None


def compute(node: exp.Binary) -> exp.Expr | None:
    """Return an operation on decimals in DuckDB's SQL; None if it is not one.

    Raises:
        QueryError: an operand's size is unknown.
    """
    if not _is_decimal(node.left) and not _is_decimal(node.right):
        return None
    kinds = {nodes.kind(node.left), nodes.kind(node.right)}
    if kinds & {exp.DType.DOUBLE, exp.DType.FLOAT}:
        return None
    result = arithmetic_type(node)
    left, right = size_of(node.left), size_of(node.right)
    if result is None or left is None or right is None:
        raise not_supported("Arithmetic of a decimal whose precision is unknown; cast it")
    if isinstance(node, exp.Div):
        return _quotient(node, left, right, result)
    scales = (left[1], right[1]) if isinstance(node, exp.Mul) else (max(left[1], right[1]),) * 2
    wide = [
        cast(side.copy(), decimal((_MOST, scale))) for side, scale in zip((node.left, node.right), scales, strict=True)
    ]
    if isinstance(node, exp.Mod):
        return cast(nodes.call("trino_remainder", *wide), result)
    return cast(exp.Paren(this=type(node)(this=wide[0], expression=wide[1])), result)


def _quotient(node: exp.Div, left: Size, right: Size, result: exp.DataType) -> exp.Expr:
    """Divide the digits as integers and round half away from zero."""
    scale = int(result.expressions[1].name)
    dividend = nodes.call(
        "trino_unscaled",
        cast(node.left.copy(), decimal((_MOST, left[1]))),
    )
    divisor = nodes.call("trino_unscaled", cast(node.right.copy(), decimal((_MOST, right[1]))))
    quotient = nodes.call("trino_divide_decimal", dividend, divisor, exp.Literal.number(scale + right[1] - left[1]))
    return scaled(quotient, scale, result)


def scaled(digits: exp.Expr, scale: int, result: exp.DataType) -> exp.Expr:
    """Return the decimal whose digits are an integer."""
    written = exp.Cast(this=digits, to=exp.DataType.build("varchar"))
    wide = cast(nodes.call("concat", written, exp.Literal.string(f"e-{scale}")), decimal((_MOST, scale)))
    # DuckDB does not read an exponent if the digits before it do not fit; concat makes nothing of NULL.
    known = exp.Case(ifs=[exp.If(this=exp.Not(this=exp.Is(this=digits.copy(), expression=exp.Null())), true=wide)])
    return cast(known, result)


def compute_function(node: exp.Anonymous, name: str) -> exp.Expr | None:
    """Return a function of a decimal in DuckDB's SQL, unless DuckDB's own does.

    Raises:
        QueryError: it is not modelled.
    """
    arguments = node.expressions
    if name not in _COMPUTED or not arguments or not _is_decimal(arguments[0]):
        return None
    result = function_type(name, arguments)
    if result is None:
        raise not_supported(f"{name} of a decimal whose precision is unknown; cast it")
    if name == "truncate" and len(arguments) > 1:
        raise not_supported("truncate of a decimal to places")
    if name == "mod":
        return compute(exp.Mod(this=arguments[0].copy(), expression=arguments[1].copy()))
    if name == "avg":
        return _average(arguments[0], result)
    return cast(nodes.call(_COMPUTED[name], *(argument.copy() for argument in arguments)), result)


def _average(averaged: exp.Expr, result: exp.DataType) -> exp.Expr:
    scale = int(result.expressions[1].name)
    total = nodes.call("sum", cast(averaged.copy(), decimal((_MOST, scale))))
    count = nodes.call("nullif", nodes.call("count", averaged.copy()), exp.Literal.number(0))
    digits = nodes.call("trino_divide_decimal", nodes.call("trino_unscaled", total), count, exp.Literal.number(0))
    return scaled(digits, scale, result)


def cast(node: exp.Expr, kind: exp.DataType) -> exp.Cast:
    """Return a cast that knows its type."""
    result = exp.Cast(this=node, to=kind.copy())
    result.type = kind
    return result


def _is_decimal(node: exp.Expr) -> Any:
    return nodes.kind(node) == exp.DType.DECIMAL
