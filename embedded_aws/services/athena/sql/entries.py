"""Functions that apply a function of two parameters to the entries of a map, or to the pairs of two arrays."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql import nodes

_ENTRY = "trino_entry"
"""The parameter of DuckDB's function: a row of two."""

_IN_MAP = ("key", "value")
_IN_PAIR = (1, 2)


def map_filter(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `map_filter`.

    Raises:
        QueryError: its arguments are others than a map and a function of two parameters, or are not modelled.
    """
    entries, step = _arguments(node, 2)
    kept = nodes.call("list_filter", nodes.call("map_entries", entries), _of_entry(_in_parts(step, _IN_MAP)))
    return nodes.call("map_from_entries", kept)


def transform_keys(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `transform_keys`; raises what `map_filter` does."""
    entries, step = _arguments(node, 2)
    return _with_entries(entries, _in_parts(step, _IN_MAP), _part("value"))


def transform_values(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `transform_values`; raises what `map_filter` does."""
    entries, step = _arguments(node, 2)
    return _with_entries(entries, _part("key"), _in_parts(step, _IN_MAP))


def zip_with(node: exp.Anonymous) -> exp.Expr:
    """Rewrite `zip_with`; raises what `map_filter` does, of two arrays."""
    first, second, step = _arguments(node, 3)
    pair = _of_entry(_in_parts(step, _IN_PAIR))
    zipped = nodes.call("list_transform", nodes.call("list_zip", first, second), pair)
    known = [exp.Not(this=exp.Is(this=one.copy(), expression=exp.Null())) for one in (first, second)]
    return exp.Case(ifs=[exp.If(this=exp.and_(*known, copy=False), true=zipped)])


def _arguments(node: exp.Anonymous, count: int) -> list[exp.Expr]:
    nodes.refuse_zones(node)
    if len(node.expressions) != count:
        raise QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {node.this}")
    return [argument.copy() for argument in node.expressions]


def _with_entries(entries: exp.Expr, key: exp.Expr, value: exp.Expr) -> exp.Expr:
    pair = _of_entry(nodes.struct(k=key, v=value))
    return nodes.call("map_from_entries", nodes.call("list_transform", nodes.call("map_entries", entries), pair))


def _in_parts(step: exp.Expr, parts: Sequence[str | int]) -> exp.Expr:
    """Return the body of a function, with the parts of an entry in place of its parameters."""
    if not isinstance(step, exp.Lambda) or len(step.expressions) != len(parts):
        raise QueryError("TYPE_MISMATCH", "A function of two parameters is needed")
    places = {one.name.lower(): part for one, part in zip(step.expressions, parts, strict=True)}
    # With a place of its own, so that it can be replaced itself.
    body = exp.Paren(this=step.this.copy())
    for inner in body.find_all(exp.Lambda):
        if places.keys() & {one.name.lower() for one in inner.expressions}:
            raise not_supported("A parameter of the same name in two functions, one within the other")
    for found in list(body.find_all(exp.Identifier)):
        if found.name.lower() in places and not _is_name(found):
            found.replace(_part(places[found.name.lower()]))
    return body


def _is_name(node: exp.Identifier) -> bool:
    """Return whether an identifier names something, instead of being a parameter's value."""
    return (
        isinstance(node.parent, exp.Column | exp.PropertyEQ)
        or node.arg_key == "alias"
        or (isinstance(node.parent, exp.Dot) and node.arg_key == "expression")
        or (isinstance(node.parent, exp.Lambda) and node.arg_key == "expressions")
    )


def _of_entry(body: exp.Expr) -> exp.Lambda:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(_ENTRY)])


def _part(part: str | int) -> exp.Expr:
    where = exp.Literal.string(part) if isinstance(part, str) else exp.Literal.number(part)
    return nodes.call("struct_extract", exp.column(_ENTRY), where)
