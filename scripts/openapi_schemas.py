# ruff: noqa: INP001 - a script, no package
"""Extracts the types of the responses from Spotify's OpenAPI file, for the tests of the simulator and `make fields`.

    .venv/bin/python scripts/openapi_schemas.py spotify-openapi.yml 2026-08

The second argument is the date of the file. The same file always gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import yaml

PATHS = (
    "/albums/{id}",
    "/albums/{id}/tracks",
    "/artists/{id}",
    "/artists/{id}/albums",
    "/me",
    "/me/albums",
    "/me/audiobooks",
    "/me/episodes",
    "/me/following",
    "/me/player/recently-played",
    "/me/playlists",
    "/me/shows",
    "/me/top/{type}",
    "/me/tracks",
    "/playlists/{playlist_id}",
    "/playlists/{playlist_id}/items",
    "/playlists/{playlist_id}/tracks",
    "/tracks/{id}",
)
"""The endpoints that the simulator models, and one more list of saved things: the example of docs/extending.md."""
TARGET = Path(__file__).parent.parent / "tests/spotify_simulator/openapi_schemas.json"

_KEPT = ("type", "enum", "nullable", "required")
_SCHEMAS = "#/components/schemas/"


def main(source: Path, date: str) -> None:
    """Write the extract."""
    content = source.read_bytes()
    document = yaml.safe_load(content)
    answers = {path: types_of(answer_of(document, path)) for path in PATHS}
    schemas: dict[str, Any] = {}
    missing = references(answers)
    while missing:
        for name in missing:
            schemas[name] = types_of(document["components"]["schemas"][name])
        missing = references(schemas) - schemas.keys()
    extract = {
        "source": {
            "title": document["info"]["title"],
            "version": document["info"]["version"],
            "date": date,
            "sha256": hashlib.sha256(content).hexdigest(),
        },
        "answers": answers,
        "schemas": schemas,
    }
    TARGET.write_text(json.dumps(extract, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def answer_of(document: dict[str, Any], path: str) -> dict[str, Any]:
    """Return the schema of the response to a successful GET."""
    answer = document["paths"][path]["get"]["responses"]["200"]
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema


def types_of(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema reduced to its types; a reference is `{"ref": <name of the schema>}`."""
    if "$ref" in schema:
        return {"ref": schema["$ref"].removeprefix(_SCHEMAS)}
    types = {name: schema[name] for name in _KEPT if name in schema}
    if "properties" in schema:
        types["properties"] = {name: types_of(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        types["items"] = types_of(schema["items"])
    for name in ("allOf", "oneOf"):
        if name in schema:
            types[name] = [types_of(inner) for inner in schema[name]]
    return types


def references(value: Any) -> set[str]:
    """Return the names of the schemas referred to at any depth."""
    if isinstance(value, dict):
        own = {value["ref"]} if isinstance(value.get("ref"), str) else set()
        return own.union(*(references(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(references(inner) for inner in value))
    return set()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
