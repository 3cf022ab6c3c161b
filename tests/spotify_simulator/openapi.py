"""Spotify's own schemas of its answers, as `scripts/openapi_schemas.py` took them from the OpenAPI file."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

_DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "openapi_schemas.json").read_text("utf-8"))
_TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


@dataclass
class Schema:
    """A schema joined with all that it is composed of."""

    name: str = ""
    """Of the component; '' where a schema stands by itself."""
    type: str = ""
    nullable: bool = False
    enum: tuple[Any, ...] = ()
    required: frozenset[str] = frozenset()
    properties: dict[str, Schema] = field(default_factory=dict)
    items: Schema | None = None
    one_of: tuple[Schema, ...] = ()
    """Alternatives, told apart by their `type`."""


@cache
def answer(path: str) -> Schema:
    """The schema of what a GET answers."""
    return _schema(_DOCUMENT["answers"][path])


def paths() -> list[str]:
    """The endpoints that there are schemas of."""
    return list(_DOCUMENT["answers"])


def deviations(value: Any, schema: Schema, place: str = "") -> Iterator[str]:
    """In which ways a value is not as its schema says: `<schema>.<property>: <what is wrong>`."""
    fitting = [schema]
    if schema.one_of and value is not None:
        fitting = [one for one in schema.one_of if value.get("type") in one.properties["type"].enum]
    for one in fitting:
        wrong = _wrong(value, one)
        if wrong:
            yield f"{place}: {wrong}"
        elif isinstance(value, list) and one.items:
            for element in value:
                yield from deviations(element, one.items, f"{place}[]")
        elif isinstance(value, dict) and one.properties:
            yield from _deviations_of_object(value, one, one.name or place)
    if not fitting:
        yield f"{place}: unknown type"


def _wrong(value: Any, schema: Schema) -> str:
    if value is None:
        return "" if schema.nullable else "null"
    if schema.type and type(value) is not _TYPES[schema.type]:
        return f"no {schema.type}"
    return repr(value) if schema.enum and value not in schema.enum else ""


def _deviations_of_object(value: dict[str, Any], schema: Schema, place: str) -> Iterator[str]:
    for name in schema.required - value.keys():
        yield f"{place}.{name}: missing"
    for name, inner in value.items():
        if name in schema.properties:
            yield from deviations(inner, schema.properties[name], f"{place}.{name}")
        else:
            yield f"{place}.{name}: undocumented"


def documented(schema: Schema, kinds: Collection[str], place: str = "") -> Iterator[str]:
    """The paths below a schema at which there is a plain value, as `items.track.album.name`; a list has no part.

    Args:
        schema: of an answer.
        kinds: which alternatives count, by their `type`.
        place: where the schema stands.
    """
    if schema.items:
        yield from documented(schema.items, kinds, place)
    for one in schema.one_of:
        if set(kinds) & set(one.properties["type"].enum):
            yield from documented(one, kinds, place)
    for name, inner in schema.properties.items():
        yield from documented(inner, kinds, f"{place}.{name}" if place else name)
    if not (schema.items or schema.one_of or schema.properties):
        yield place


def keys(value: Any) -> Iterator[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        yield from value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(inner)


def _schema(raw: dict[str, Any]) -> Schema:
    if "ref" in raw:
        schema = _schema(_DOCUMENT["schemas"][raw["ref"]])
        schema.name = raw["ref"]
        return schema
    schema = Schema()
    for part in map(_schema, raw.get("allOf", ())):
        schema = Schema(
            # A schema that something is added to is its own.
            name=part.name if len(raw["allOf"]) == 1 else "",
            type=part.type or schema.type,
            required=schema.required | part.required,
            properties=schema.properties | part.properties,
        )
    schema.type = raw.get("type", schema.type)
    schema.nullable = raw.get("nullable", False)
    schema.enum = tuple(raw.get("enum", ()))
    schema.required |= set(raw.get("required", ()))
    schema.properties |= {name: _schema(inner) for name, inner in raw.get("properties", {}).items()}
    schema.items = _schema(raw["items"]) if "items" in raw else None
    schema.one_of = tuple(map(_schema, raw.get("oneOf", ())))
    return schema
