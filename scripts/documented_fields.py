# ruff: noqa: INP001 - a script, no package
"""`make fields`: writes `handlers/transform/documented.py`, the fields that Spotify's records are known to have.

They are those of Spotify's OpenAPI file, as `scripts/openapi_schemas.py` extracted them, and those of `BEYOND`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from handlers.streams import CATALOGUE_KINDS, STREAMS, Stream

ROOT = Path(__file__).parents[1]
TARGET = Path("handlers/transform/documented.py")

Fields: TypeAlias = Mapping[str, "Fields | None"]
"""The names of an object's fields, each with the fields of the object, or of the objects of the list, in it."""

BEYOND: tuple[tuple[str, str, str], ...] = (
    # An object's kind or a stream (`Item`: what may be a track or an episode), the field, and the source.
    ("Album", "is_playable", "in every album of 2026 that https://github.com/joostlek/python-spotify recorded"),
    ("Item", "track", "whether it is a track: https://github.com/sigma67/spotify_to_ytmusic/issues/165"),
    ("Item", "episode", "whether it is an episode, as above"),
    ("Playlist", "primary_color", "https://github.com/sigma67/spotify_to_ytmusic/issues/165"),
    ("Playlist", "followers.href", "sent until 2025; only a full playlist is documented to have it"),
    ("Playlist", "followers.total", "sent until 2025; only a full playlist is documented to have it"),
    ("playlist_items", "primary_color", "https://github.com/sigma67/spotify_to_ytmusic/issues/165"),
    ("playlist_items", "video_thumbnail.url", "https://github.com/sigma67/spotify_to_ytmusic/issues/165"),
    ("saved_tracks", "is_local", "read by the same columns as the items of playlists"),
)
"""The fields that Spotify sends, or may send, though its OpenAPI file does not have them."""

_EXTRACT: dict[str, Any] = json.loads((ROOT / "tests/spotify_simulator/openapi_schemas.json").read_text("utf-8"))
_KIND = re.compile(r"(?:Simplified|ArtistDiscography|Private|Public|Playlist(?=User|Owner))?(\w+)Object")


def page() -> str:
    """Return the content of the module."""
    return _Module({name: record_fields(stream) for name, stream in STREAMS.items() if stream.readable}).text()


def record_fields(stream: Stream) -> Fields:
    """Return the fields of a stream's records.

    Raises:
        LookupError: the extract does not have the stream's endpoint.
    """
    if stream.mode == "catalogue":
        fields = _merged(*(_answered(kind.path) for kind in CATALOGUE_KINDS.values()))
    else:
        fields = _answered(stream.path)
        for key in (stream.page_in, "items" if stream.paging != "none" else ""):
            fields = fields[key] if fields and key else fields
    if len(stream.item_keys) > 1:
        # They are names of the same thing, which may be a track or an episode.
        items = (_Schemas().fields({"ref": schema}) for schema in ("TrackObject", "EpisodeObject"))
        item = _merged(*items, _beyond("Item"))
        fields = _merged(fields, dict.fromkeys(stream.item_keys, item))
    return _merged(fields, _beyond(stream.name)) or {}


def write(folder: Path) -> None:
    """Write the module below a folder."""
    (folder / TARGET).write_text(page(), encoding="utf-8")


class _Schemas:
    """The fields of schemas; those of one kind are merged, as columns read simplified objects and full ones alike.

    Args:
        only: the kind that counts where there are alternatives; all of them by default.
    """

    def __init__(self, only: str = "") -> None:
        self._only = only
        self._families: dict[str, list[str]] = {}
        for name in _EXTRACT["schemas"]:
            # A full playlist is in no stream, and its list of items is not that of a listed one.
            if name != "PlaylistObject":
                self._families.setdefault(_kind(name), []).append(name)

    def fields(self, schema: Mapping[str, Any], within: tuple[str, ...] = ()) -> Fields | None:
        """Return the fields of a schema, or None for a plain value; an object within one of its kind is not opened."""
        if "ref" in schema:
            kind = _kind(schema["ref"])
            if kind in within:
                return None
            members = [self._own(_EXTRACT["schemas"][name], (*within, kind)) for name in self._families[kind]]
            return _merged(*members, _beyond(kind))
        return self._own(schema, within)

    def _own(self, schema: Mapping[str, Any], within: tuple[str, ...]) -> Fields | None:
        if "items" in schema:
            return self.fields(schema["items"], within)
        fields: Fields | None = {
            name: self.fields(inner, within) for name, inner in schema.get("properties", {}).items()
        }
        for part in schema.get("allOf", ()):
            if "ref" in part and len(schema["allOf"]) > 1:
                part = _EXTRACT["schemas"][part["ref"]]  # noqa: PLW2901 - it is composed of it, not within it
                fields = _merged(self._own(part, within), fields)
            else:
                fields = _merged(self.fields(part, within), fields)
        alternatives = [one for one in schema.get("oneOf", ()) if not self._only or _kind(one["ref"]) == self._only]
        return _merged(fields, *(self.fields(one, within) for one in alternatives))


class _Module:
    """The text of the module; an object that occurs more than once is a constant."""

    def __init__(self, streams: Mapping[str, Fields]) -> None:
        self._streams = streams
        self._counts: Counter[str] = Counter()
        self._names: dict[str, str] = {}
        self._constants: list[str] = []
        for fields in streams.values():
            self._count(fields)

    def text(self) -> str:
        """Return the text."""
        entries = [f'    "{name}": {self._written(fields, 1)},' for name, fields in self._streams.items()]
        return "\n".join((_HEADER, *self._constants, "\nSTREAM_FIELDS: Mapping[str, Fields] = {", *entries, _FOOTER))

    def _count(self, fields: Fields) -> None:
        for inner in filter(None, fields.values()):
            self._counts[repr(inner)] += 1
            if self._counts[repr(inner)] == 1:
                self._count(inner)

    def _written(self, fields: Fields, depth: int) -> str:
        indent = "    " * depth
        values = {name: self._value(name, fields[name], depth + 1) for name in sorted(fields)}
        lines = [f'{indent}    "{name}": {value},' for name, value in values.items()]
        return "\n".join(("{", *lines, f"{indent}}}"))

    def _value(self, name: str, fields: Fields | None, depth: int) -> str:
        if not fields:
            return "None"
        if self._counts[repr(fields)] == 1:
            return self._written(fields, depth)
        if repr(fields) not in self._names:
            written = self._written(fields, 0)
            taken = set(self._names.values())
            names = (f"_{name.upper()}{number}" for number in ("", *range(2, 10)))
            constant = next(one for one in names if one not in taken)
            self._names[repr(fields)] = constant
            self._constants.append(f"{constant}: Fields = {written}")
        return self._names[repr(fields)]


_HEADER = '''"""The fields that records are known to have in both shapes of the API, whether or not a column reads them.

`unknown_fields.py` reports any other field. `make fields` writes this module from Spotify's OpenAPI file and the few
fields known from elsewhere, which `scripts/documented_fields.py` lists with their sources.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from handlers.streaming_history import FIELDS

Fields: TypeAlias = Mapping[str, "Fields | None"]
"""The names of an object's fields, each with the fields of the object, or of the objects of the list, in it; None where
there are none, or none that matter."""
'''
_FOOTER = '''    "streaming_history": dict.fromkeys(FIELDS),
    "labels": {"subject": None, "label": None, "excluded": None},
}
"""The fields of each stream's record."""
'''


def _answered(path: str) -> Fields | None:
    """Return the fields of an endpoint's response."""
    for template, schema in _EXTRACT["answers"].items():
        pattern = re.sub(r"\{\w+\}", "([^/]+)", template)
        if match := re.fullmatch(pattern, f"/{path}"):
            return _Schemas(match[1].removesuffix("s").title() if template.endswith("{type}") else "").fields(schema)
    raise LookupError(f"{path} is not in the extract: add it to scripts/openapi_schemas.py.")


def _kind(schema: str) -> str:
    match = _KIND.fullmatch(schema)
    kind = match[1] if match else schema
    return "User" if kind == "Owner" else kind


def _beyond(place: str) -> Fields | None:
    paths = [path.partition(".") for where, path, _ in BEYOND if where == place]
    return _merged(*({name: {inner: None} if inner else None} for name, _, inner in paths))


def _merged(*several: Fields | None) -> Fields | None:
    merged: dict[str, Fields | None] = {}
    for fields in filter(None, several):
        for name, inner in fields.items():
            merged[name] = _merged(merged.get(name), inner)
    return merged or None


if __name__ == "__main__":
    write(ROOT)
