"""The same tables record by record: `json.loads` per line, a dictionary per row, lists of dictionaries to Parquet.

As tutorials do it, but for writing every so many lines, without which memory would not hold out.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from handlers.layout import run_date
from handlers.tables import SCHEMA_VERSION, TABLES
from tests.benchmarks.transform.generated import KEY

_LINES_AT_A_TIME = 50_000
_NAMES = ("playlist_items", "tracks", "albums", "artists", "track_artists", "album_artists")
_TYPES: dict[str, Any] = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("ms"),
    "date": pa.date32(),
    "array<string>": pa.list_(pa.string()),
}
_SCHEMAS = {
    name: pa.schema([(column.name, _TYPES[column.type]) for column in TABLES[name].all_columns]) for name in _NAMES
}


def make_tables(raw: Path, folder: Path) -> None:
    """Write a Parquet file a table into a folder."""
    writers = {
        name: pq.ParquetWriter(folder / f"{name}.parquet", _SCHEMAS[name], compression="zstd") for name in _NAMES
    }
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _NAMES}
    seen: set[Any] = set()

    def write() -> None:
        for name, writer in writers.items():
            writer.write_table(pa.Table.from_pylist(rows[name], schema=_SCHEMAS[name]))
            rows[name].clear()

    with gzip.open(raw, "rt", encoding="utf-8") as file:
        for number, text in enumerate(file, start=1):
            for name, key, row in _rows(json.loads(text), number):
                if key is None or (name, key) not in seen:
                    seen.add((name, key))
                    rows[name].append(row)
            if number % _LINES_AT_A_TIME == 0:
                write()
    write()
    for writer in writers.values():
        writer.close()


def _rows(line: dict[str, Any], number: int) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield the rows of a line: table, key that must not repeat, row."""
    common = {
        "account_id": line["account_id"],
        "_run_id": line["run_id"],
        "_read_id": line["read_id"],
        "_extracted_at": _time(line["extracted_at"]),
        "_raw_key": str(KEY),
        "_line": number,
        "_schema_version": SCHEMA_VERSION,
        "dt": f"{run_date(KEY.run_id)}",
    }
    record, context = line["record"], line["context"]
    item = record.get("item")
    some = item or {}
    kind = some.get("type")
    added_at = record.get("added_at")
    yield (
        "playlist_items",
        None,
        {
            "playlist_id": context["playlist_id"],
            "snapshot_id": context.get("snapshot_id"),
            "position": context["position"],
            "item_uri": some.get("uri") or "",
            "item_type": kind,
            "is_local": record["is_local"] if record.get("is_local") is not None else some.get("is_local"),
            "is_available": item is not None,
            "track_id": some.get("id") if kind == "track" else None,
            "episode_id": some.get("id") if kind == "episode" else None,
            "added_at": None if not added_at or added_at.startswith("1970-01-01T00:00:00") else _time(added_at),
            "added_by_id": (record.get("added_by") or {}).get("id") or None,
            "item_name": some.get("name"),
            "artist_name": next((artist["name"] for artist in some.get("artists") or []), None),
            "album_name": (some.get("album") or {}).get("name"),
            "duration_ms": some.get("duration_ms"),
            "show_name": (some.get("show") or {}).get("name"),
            **common,
        },
    )
    if kind == "track":
        yield from _of_track(some, common)


def _of_track(track: dict[str, Any], common: dict[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    album = track.get("album") or {}
    if track.get("id"):
        yield (
            "tracks",
            track["id"],
            {
                "track_id": track["id"],
                "uri": track.get("uri"),
                "name": track.get("name"),
                "album_id": album.get("id"),
                "disc_number": track.get("disc_number"),
                "track_number": track.get("track_number"),
                "duration_ms": track.get("duration_ms"),
                "explicit": track.get("explicit"),
                "isrc": (track.get("external_ids") or {}).get("isrc"),
                "is_playable": track.get("is_playable"),
                "popularity": track.get("popularity"),
                "preview_url": track.get("preview_url"),
                "available_markets": track.get("available_markets"),
                "linked_from_id": (track.get("linked_from") or {}).get("id"),
                "spotify_url": (track.get("external_urls") or {}).get("spotify"),
                **common,
            },
        )
        yield from _of_artists("track", track, common)
    if album.get("id"):
        text = album.get("release_date") or ""
        yield (
            "albums",
            album["id"],
            {
                "album_id": album["id"],
                "uri": album.get("uri"),
                "name": album.get("name"),
                "album_type": album.get("album_type"),
                "release_date": text or None,
                "release_date_precision": album.get("release_date_precision"),
                "release_year": int(text[:4]) or None if text[:4].isdecimal() else None,
                "released_on": date.fromisoformat(text) if len(text) == len("YYYY-MM-DD") else None,
                "total_tracks": album.get("total_tracks"),
                "upc": (album.get("external_ids") or {}).get("upc"),
                "label": album.get("label"),
                "popularity": album.get("popularity"),
                "genres": album.get("genres"),
                "available_markets": album.get("available_markets"),
                "image_url": next((image["url"] for image in album.get("images") or []), None),
                "spotify_url": (album.get("external_urls") or {}).get("spotify"),
                **common,
            },
        )
        yield from _of_artists("album", album, common)


def _of_artists(owner: str, thing: dict[str, Any], common: dict[str, Any]) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    for position, artist in enumerate(thing.get("artists") or []):
        if not artist.get("id"):
            continue
        row = {
            "artist_id": artist["id"],
            "uri": artist.get("uri"),
            "name": artist.get("name"),
            "genres": artist.get("genres"),
            "popularity": artist.get("popularity"),
            "followers": (artist.get("followers") or {}).get("total"),
            "image_url": next((image["url"] for image in artist.get("images") or []), None),
            "spotify_url": (artist.get("external_urls") or {}).get("spotify"),
            **common,
        }
        yield "artists", artist["id"], row
        place = {f"{owner}_id": thing["id"], "position": position, "artist_id": artist["id"], **common}
        yield f"{owner}_artists", (thing["id"], position), place


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)
