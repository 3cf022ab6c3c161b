"""The same tables with Polars: explicit types, one scan in batches, and one sink per table for each batch.

Of the ways to parse once (the whole in memory, a scan cached for all sinks, batches) this takes the least memory
and no longer than the others.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from handlers.layout import run_date
from handlers.tables import SCHEMA_VERSION
from tests.benchmarks.transform.generated import KEY

_ARTIST = pl.Struct(
    {"id": pl.String, "uri": pl.String, "name": pl.String, "external_urls": pl.Struct({"spotify": pl.String})}
)
_ALBUM = pl.Struct(
    {
        "id": pl.String,
        "uri": pl.String,
        "name": pl.String,
        "album_type": pl.String,
        "release_date": pl.String,
        "release_date_precision": pl.String,
        "total_tracks": pl.Int32,
        "external_ids": pl.Struct({"upc": pl.String}),
        "label": pl.String,
        "popularity": pl.Int32,
        "genres": pl.List(pl.String),
        "available_markets": pl.List(pl.String),
        "images": pl.List(pl.Struct({"url": pl.String})),
        "external_urls": pl.Struct({"spotify": pl.String}),
        "artists": pl.List(_ARTIST),
    }
)
_ITEM = pl.Struct(
    {
        "id": pl.String,
        "uri": pl.String,
        "type": pl.String,
        "name": pl.String,
        "disc_number": pl.Int32,
        "track_number": pl.Int32,
        "duration_ms": pl.Int64,
        "explicit": pl.Boolean,
        "is_local": pl.Boolean,
        "is_playable": pl.Boolean,
        "popularity": pl.Int32,
        "preview_url": pl.String,
        "available_markets": pl.List(pl.String),
        "external_ids": pl.Struct({"isrc": pl.String}),
        "external_urls": pl.Struct({"spotify": pl.String}),
        "linked_from": pl.Struct({"id": pl.String}),
        "show": pl.Struct({"name": pl.String}),
        "album": _ALBUM,
        "artists": pl.List(_ARTIST),
    }
)
_SCHEMA: dict[str, Any] = {
    "run_id": pl.String,
    "read_id": pl.String,
    "extracted_at": pl.String,
    "account_id": pl.String,
    "context": pl.Struct({"playlist_id": pl.String, "snapshot_id": pl.String, "position": pl.Int32}),
    "record": pl.Struct(
        {"added_at": pl.String, "added_by": pl.Struct({"id": pl.String}), "is_local": pl.Boolean, "item": _ITEM}
    ),
}
_LINES_AT_A_TIME = 50_000
_COMMON = ("account_id", "_run_id", "_read_id", "_extracted_at", "_raw_key", "_line", "_schema_version", "dt")


_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the columns have no zone


def make_tables(raw: Path, folder: Path) -> None:
    """Write Parquet files into a folder, each table in as many as there are batches."""
    scan = pl.scan_ndjson(raw, schema=_SCHEMA, row_index_name="_line", row_index_offset=1)
    lines = scan.select(
        "context",
        "record",
        "account_id",
        pl.col("run_id").alias("_run_id"),
        pl.col("read_id").alias("_read_id"),
        _time(pl.col("extracted_at")).alias("_extracted_at"),
        pl.lit(str(KEY)).alias("_raw_key"),
        pl.col("_line").cast(pl.Int64),
        pl.lit(SCHEMA_VERSION, pl.Int32).alias("_schema_version"),
        pl.lit(f"{run_date(KEY.run_id)}").alias("dt"),
    )
    for number, batch in enumerate(lines.collect_batches(chunk_size=_LINES_AT_A_TIME, maintain_order=True)):
        sinks = [
            table.sink_parquet(folder / f"{name}-{number}.parquet", compression="zstd", lazy=True)
            for name, table in _tables(batch.lazy()).items()
        ]
        pl.collect_all(sinks, engine="streaming")


def _tables(lines: pl.LazyFrame) -> dict[str, pl.LazyFrame]:
    record = pl.col("record").struct.field
    item = record("item")
    of_item, of_album = item.struct.field, item.struct.field("album").struct.field
    is_track = of_item("type") == "track"
    tracks = lines.filter(is_track & (of_item("id") != ""))
    albums = lines.filter(is_track & (of_album("id") != ""))
    of_track = tracks.select(of_item("id").alias("track_id"), of_item("artists").alias("artist"), *_COMMON)
    of_its_album = albums.select(of_album("id").alias("album_id"), of_album("artists").alias("artist"), *_COMMON)
    artists = pl.concat([of_track.select("artist", *_COMMON), of_its_album.select("artist", *_COMMON)])
    artist = pl.col("artist").struct.field
    release_date = of_album("release_date")
    return {
        "playlist_items": lines.select(
            pl.col("context").struct.field("playlist_id"),
            pl.col("context").struct.field("snapshot_id"),
            pl.col("context").struct.field("position"),
            of_item("uri").fill_null("").alias("item_uri"),
            of_item("type").alias("item_type"),
            pl.coalesce(record("is_local"), of_item("is_local")).alias("is_local"),
            item.is_not_null().alias("is_available"),
            pl.when(is_track).then(of_item("id")).alias("track_id"),
            pl.when(of_item("type") == "episode").then(of_item("id")).alias("episode_id"),
            _null_if(_time(record("added_at")), _EPOCH).alias("added_at"),
            _null_if(record("added_by").struct.field("id"), "").alias("added_by_id"),
            of_item("name").alias("item_name"),
            of_item("artists").list.first().struct.field("name").alias("artist_name"),
            of_album("name").alias("album_name"),
            of_item("duration_ms"),
            of_item("show").struct.field("name").alias("show_name"),
            *_COMMON,
        ),
        "tracks": tracks.select(
            of_item("id").alias("track_id"),
            *(of_item(name) for name in ("uri", "name")),
            of_album("id").alias("album_id"),
            *(of_item(name) for name in ("disc_number", "track_number", "duration_ms", "explicit")),
            of_item("external_ids").struct.field("isrc"),
            *(of_item(name) for name in ("is_playable", "popularity", "preview_url", "available_markets")),
            of_item("linked_from").struct.field("id").alias("linked_from_id"),
            of_item("external_urls").struct.field("spotify").alias("spotify_url"),
            *_COMMON,
        ).unique("track_id", keep="any"),
        "albums": albums.select(
            of_album("id").alias("album_id"),
            *(of_album(name) for name in ("uri", "name", "album_type", "release_date", "release_date_precision")),
            _null_if(release_date.str.slice(0, 4).cast(pl.Int32, strict=False), 0).alias("release_year"),
            release_date.str.to_date("%Y-%m-%d", strict=False).alias("released_on"),
            of_album("total_tracks"),
            of_album("external_ids").struct.field("upc"),
            *(of_album(name) for name in ("label", "popularity", "genres", "available_markets")),
            of_album("images").list.first().struct.field("url").alias("image_url"),
            of_album("external_urls").struct.field("spotify").alias("spotify_url"),
            *_COMMON,
        ).unique("album_id", keep="any"),
        "artists": artists.explode("artist")
        .filter(artist("id") != "")
        .select(
            artist("id").alias("artist_id"),
            artist("uri"),
            artist("name"),
            pl.lit(None, pl.List(pl.String)).alias("genres"),
            pl.lit(None, pl.Int32).alias("popularity"),
            pl.lit(None, pl.Int64).alias("followers"),
            pl.lit(None, pl.String).alias("image_url"),
            artist("external_urls").struct.field("spotify").alias("spotify_url"),
            *_COMMON,
        )
        .unique("artist_id", keep="any"),
        "track_artists": _bridge(of_track, "track_id"),
        "album_artists": _bridge(of_its_album, "album_id"),
    }


def _bridge(owners: pl.LazyFrame, owner_id: str) -> pl.LazyFrame:
    artist_id = pl.col("artist").struct.field("id")
    return (
        owners.unique(owner_id, keep="any")
        .with_columns(pl.int_ranges(pl.col("artist").list.len(), dtype=pl.Int32).alias("position"))
        .explode("position", "artist")
        .filter(artist_id != "")
        .select(owner_id, "position", artist_id.alias("artist_id"), *_COMMON)
    )


def _time(text: pl.Expr) -> pl.Expr:
    return text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms")


def _null_if(value: pl.Expr, unknown: object) -> pl.Expr:
    return pl.when(value != unknown).then(value)
