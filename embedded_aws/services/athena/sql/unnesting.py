"""UNNEST of arrays of rows and of maps, whose fields are columns in Trino."""

from __future__ import annotations

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.sql import nodes


def type_columns(tree: exp.Expr) -> None:
    """Give the columns of UNNEST their types, in a query that is otherwise annotated with types.

    Raises:
        QueryError: the names of the columns are missing or too many.
    """
    for unnest in tree.find_all(exp.Unnest):
        fields = _fields(unnest)
        if not fields or len(unnest.expressions) != 1:
            continue
        kinds = dict(
            zip((name.name for name in _names(unnest, len(fields))), (kind for _, kind in fields), strict=False)
        )
        select = unnest.parent_select
        for column in select.find_all(exp.Column) if select is not None else ():
            if column.table == unnest.alias:
                column.type = kinds.get(column.name, exp.DataType.build("bigint"))


def expanded(unnest: exp.Unnest) -> exp.Expr:
    """Return UNNEST, rewritten in its parts, with a column for each field."""
    fields = _fields(unnest)
    if not fields:
        alias = unnest.args.get("alias")
        if alias is not None and len(alias.columns) > 1:
            raise not_supported(
                "UNNEST into several columns of what is not known to hold rows; cast it to an array of rows"
            )
        return unnest
    names = _names(unnest, len(fields))
    (source,) = unnest.expressions
    if nodes.kind(source) == exp.DType.MAP:
        source = nodes.call("map_entries", source)
    columns = [exp.to_identifier(name) for name in ("element", "place")[: 1 + bool(unnest.args.get("offset"))]]
    inner = exp.Unnest(
        expressions=[source.copy()],
        alias=exp.TableAlias(this=exp.to_identifier("unnested"), columns=columns),
        offset=bool(unnest.args.get("offset")),
    )
    element = exp.column("element", table="unnested")
    values: list[exp.Expr] = [
        exp.Dot(this=element.copy(), expression=exp.to_identifier(name, quoted=True)) for name, _ in fields
    ]
    if unnest.args.get("offset"):
        values.append(exp.column("place", table="unnested"))
    shown = [exp.alias_(value, name.name, quoted=True) for value, name in zip(values, names, strict=True)]
    return exp.Subquery(
        this=exp.select(*shown).from_(inner), alias=exp.TableAlias(this=exp.to_identifier(unnest.alias, quoted=True))
    )


def _fields(unnest: exp.Unnest) -> list[tuple[str, exp.DataType]]:
    """Return the fields of what is unnested; none if it has elements of one value."""
    kind = unnest.expressions[0].type
    if kind is None:
        return []
    if kind.this == exp.DType.MAP and kind.expressions:
        return list(zip(("key", "value"), kind.expressions, strict=True))
    inner = kind.expressions[0] if kind.this == exp.DType.ARRAY and kind.expressions else None
    if not isinstance(inner, exp.DataType) or inner.this != exp.DType.STRUCT:
        return []
    return [(part.name, part.args["kind"]) for part in inner.expressions]


def _names(unnest: exp.Unnest, count: int) -> list[exp.Identifier]:
    alias = unnest.args.get("alias")
    names = list(alias.columns) if alias is not None else []
    # sqlglot has taken the last name away for WITH ORDINALITY.
    offset = unnest.args.get("offset")
    if isinstance(offset, exp.Identifier):
        names.append(offset)
    expected = count + bool(offset)
    if not names:
        raise not_supported("UNNEST of rows or a map without names for its columns; write AS t (a, b)")
    if len(names) != expected:
        raise QueryError(
            "MISMATCHED_COLUMN_ALIASES",
            f"line 1:1: Column alias list has {len(names)} entries but '{unnest.alias}' has {expected} columns"
            " available",
        )
    return names
