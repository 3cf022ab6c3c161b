"""Functions that apply a function of two parameters to the entries of a map, or to the pairs of two arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql import nodes

_ENTRY = "trino_entry"
"""What the parameter of DuckDB's function is called, a row of two; a number tells apart those within each other."""

_NOT_KNOWN = (exp.DType.NULL, exp.DType.UNKNOWN, None)
_IN_MAP = ("key", "value")
_IN_PAIR = (1, 2)


def map_filter(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `map_filter`.

    Raises:
        QueryError: its arguments are others than a map and a function of two parameters, or are not modelled.
    """
    entries, step = _arguments(node, exp.DType.MAP)
    if isinstance(step, exp.Lambda) and nodes.kind(step.this) not in {exp.DType.BOOLEAN, *_NOT_KNOWN}:
        raise QueryError("FUNCTION_NOT_FOUND", "Unexpected parameters for function map_filter")
    function = _function(step, _IN_MAP, lambda body, _: body)
    return nodes.call("map_from_entries", nodes.call("list_filter", nodes.call("map_entries", entries), function))


def transform_keys(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `transform_keys`; raises what `map_filter` does."""
    entries, step = _arguments(node, exp.DType.MAP)
    return _with_entries(
        entries, _function(step, _IN_MAP, lambda key, name: nodes.struct(k=key, v=_part(name, "value")))
    )


def transform_values(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `transform_values`; raises what `map_filter` does."""
    entries, step = _arguments(node, exp.DType.MAP)
    return _with_entries(
        entries, _function(step, _IN_MAP, lambda value, name: nodes.struct(k=_part(name, "key"), v=value))
    )


def zip_with(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `zip_with`; raises what `map_filter` does, of two arrays."""
    first, second, step = _arguments(node, exp.DType.ARRAY, exp.DType.ARRAY)
    function = _function(step, _IN_PAIR, lambda body, _: body)
    zipped = nodes.call("list_transform", nodes.call("list_zip", first, second), function)
    known = [exp.Not(this=exp.Is(this=one.copy(), expression=exp.Null())) for one in (first, second)]
    return exp.Case(ifs=[exp.If(this=exp.and_(*known, copy=False), true=zipped)])


def _arguments(node: exp.Anonymous, *kinds: exp.DType) -> list[exp.Expr]:
    """Return the arguments: collections of these kinds, as far as they are known, and a function."""
    nodes.refuse_zones(node)
    found = [nodes.kind(argument) for argument in node.expressions]
    wrong = (kind not in {wanted, *_NOT_KNOWN} for kind, wanted in zip(found, kinds, strict=False))
    if len(found) != len(kinds) + 1 or any(wrong):
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {node.this}")
    return [argument.copy() for argument in node.expressions]


def _with_entries(entries: exp.Expr, function: exp.Lambda) -> exp.Expr:
    return nodes.call("map_from_entries", nodes.call("list_transform", nodes.call("map_entries", entries), function))


def _function(step: exp.Expr, parts: Sequence[str | int], result: Callable[[exp.Expr, str], exp.Expr]) -> exp.Lambda:
    """Return DuckDB's function of an entry.

    Args:
        step: Trino's function of two parameters.
        parts: of the entry, in place of these.
        result: makes the result of the function's body, and of the entry's name.
    """
    if not isinstance(step, exp.Lambda) or len(step.expressions) != len(parts):
        raise QueryError("TYPE_MISMATCH", "A function of two parameters is needed")
    inner = {found.name for found in step.find_all(exp.Identifier) if found.name.startswith(_ENTRY)}
    name = f"{_ENTRY}{len(inner)}"
    places = {one.name.lower(): part for one, part in zip(step.expressions, parts, strict=True)}
    # With a place of its own, so that it can be replaced itself.
    body = exp.Paren(this=step.this.copy())
    for within in body.find_all(exp.Lambda):
        if places.keys() & {one.name.lower() for one in within.expressions}:
            raise not_supported("A parameter of the same name in two functions, one within the other")
    for found in list(body.find_all(exp.Identifier)):
        if found.name.lower() in places and not _is_name(found):
            found.replace(_part(name, places[found.name.lower()]))
    return exp.Lambda(this=result(body, name), expressions=[exp.to_identifier(name)])


def _is_name(node: exp.Identifier) -> bool:
    """Return whether an identifier names something, instead of being a parameter's value."""
    return (
        isinstance(node.parent, exp.Column | exp.PropertyEQ)
        or node.arg_key == "alias"
        or (isinstance(node.parent, exp.Dot) and node.arg_key == "expression")
        or (isinstance(node.parent, exp.Lambda) and node.arg_key == "expressions")
    )


def _part(name: str, part: str | int) -> exp.Expr:
    where = exp.Literal.string(part) if isinstance(part, str) else exp.Literal.number(part)
    return nodes.call("struct_extract", exp.column(name), where)
