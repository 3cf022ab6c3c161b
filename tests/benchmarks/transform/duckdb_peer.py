"""The same tables with DuckDB: explicit types, the JSON parsed once into a table, then one query per table."""

from __future__ import annotations

from pathlib import Path

import duckdb

from handlers.layout import run_date
from handlers.tables import SCHEMA_VERSION
from tests.benchmarks.transform.generated import KEY
from tests.benchmarks.transform.measured import THREADS

_ARTISTS = "STRUCT(id VARCHAR, uri VARCHAR, name VARCHAR, external_urls STRUCT(spotify VARCHAR))[]"
_ALBUM = (
    "STRUCT(id VARCHAR, uri VARCHAR, name VARCHAR, album_type VARCHAR, release_date VARCHAR,"
    " release_date_precision VARCHAR, total_tracks INTEGER, external_ids STRUCT(upc VARCHAR), label VARCHAR,"
    " popularity INTEGER, genres VARCHAR[], available_markets VARCHAR[], images STRUCT(url VARCHAR)[],"
    f" external_urls STRUCT(spotify VARCHAR), artists {_ARTISTS})"
)
_ITEM = (
    "STRUCT(id VARCHAR, uri VARCHAR, type VARCHAR, name VARCHAR, disc_number INTEGER, track_number INTEGER,"
    " duration_ms BIGINT, explicit BOOLEAN, is_local BOOLEAN, is_playable BOOLEAN, popularity INTEGER,"
    " preview_url VARCHAR, available_markets VARCHAR[], external_ids STRUCT(isrc VARCHAR),"
    ' external_urls STRUCT(spotify VARCHAR), linked_from STRUCT(id VARCHAR), "show" STRUCT(name VARCHAR),'
    f" album {_ALBUM}, artists {_ARTISTS})"
)
_COLUMNS = {
    "run_id": "VARCHAR",
    "read_id": "VARCHAR",
    "extracted_at": "TIMESTAMP_MS",
    "account_id": "VARCHAR",
    "context": "STRUCT(playlist_id VARCHAR, snapshot_id VARCHAR, position INTEGER)",
    "record": f"STRUCT(added_at TIMESTAMP_MS, added_by STRUCT(id VARCHAR), is_local BOOLEAN, item {_ITEM})",
}
_COMMON = (
    "account_id, run_id AS _run_id, read_id AS _read_id, extracted_at AS _extracted_at,"
    f" '{KEY}' AS _raw_key, line AS _line, {SCHEMA_VERSION}::INTEGER AS _schema_version,"
    f" '{run_date(KEY.run_id)}' AS dt"
)

_TABLES = {
    "playlist_items": f"""
        SELECT context.playlist_id, context.snapshot_id, context.position, coalesce(item.uri, '') AS item_uri,
               item.type AS item_type, coalesce(record.is_local, item.is_local) AS is_local,
               item IS NOT NULL AS is_available, CASE WHEN item.type = 'track' THEN item.id END AS track_id,
               CASE WHEN item.type = 'episode' THEN item.id END AS episode_id,
               nullif(record.added_at, TIMESTAMP_MS '1970-01-01') AS added_at,
               nullif(record.added_by.id, '') AS added_by_id, item.name AS item_name,
               item.artists[1].name AS artist_name, item.album.name AS album_name, item.duration_ms,
               item."show".name AS show_name, {_COMMON}
        FROM raw""",
    "tracks": f"""
        SELECT DISTINCT ON (item.id)
               item.id AS track_id, item.uri, item.name, item.album.id AS album_id, item.disc_number,
               item.track_number, item.duration_ms, item.explicit, item.external_ids.isrc, item.is_playable,
               item.popularity, item.preview_url, item.available_markets, item.linked_from.id AS linked_from_id,
               item.external_urls.spotify AS spotify_url, {_COMMON}
        FROM raw WHERE item.type = 'track' AND item.id <> ''""",
    "albums": f"""
        SELECT DISTINCT ON (album.id)
               album.id AS album_id, album.uri, album.name, album.album_type, album.release_date,
               album.release_date_precision,
               nullif(try_cast(left(album.release_date, 4) AS INTEGER), 0) AS release_year,
               CASE WHEN length(album.release_date) = 10 THEN try_cast(album.release_date AS DATE) END AS released_on,
               album.total_tracks, album.external_ids.upc, album.label, album.popularity, album.genres,
               album.available_markets, album.images[1].url AS image_url, album.external_urls.spotify AS spotify_url,
               {_COMMON}
        FROM (SELECT *, item.album AS album FROM raw WHERE item.type = 'track') WHERE album.id <> ''""",
    "artists": f"""
        SELECT DISTINCT ON (artist.id)
               artist.id AS artist_id, artist.uri, artist.name, NULL::VARCHAR[] AS genres, NULL::INTEGER AS popularity,
               NULL::BIGINT AS followers, NULL::VARCHAR AS image_url, artist.external_urls.spotify AS spotify_url,
               {_COMMON}
        FROM (SELECT * EXCLUDE item, unnest(list_concat(item.artists, item.album.artists)) AS artist
              FROM raw WHERE item.type = 'track')
        WHERE artist.id <> ''""",
    "track_artists": f"""
        SELECT DISTINCT ON (track_id, position)
               track_id, (place - 1)::INTEGER AS position, artist.id AS artist_id, {_COMMON}
        FROM (SELECT * EXCLUDE item, item.id AS track_id, unnest(item.artists) AS artist,
                     generate_subscripts(item.artists, 1) AS place
              FROM raw WHERE item.type = 'track' AND item.id <> '')
        WHERE artist.id <> ''""",
    "album_artists": f"""
        SELECT DISTINCT ON (album_id, position)
               album_id, (place - 1)::INTEGER AS position, artist.id AS artist_id, {_COMMON}
        FROM (SELECT * EXCLUDE item, item.album.id AS album_id, unnest(item.album.artists) AS artist,
                     generate_subscripts(item.album.artists, 1) AS place
              FROM raw WHERE item.type = 'track' AND item.album.id <> '')
        WHERE artist.id <> ''""",
}


def make_tables(raw: Path, folder: Path) -> None:
    """Write a Parquet file a table into a folder."""
    columns = ", ".join(f"{name}: '{type_}'" for name, type_ in _COLUMNS.items())
    with duckdb.connect(config={"threads": THREADS}) as connection:
        connection.execute(
            "CREATE TEMP TABLE raw AS SELECT row_number() OVER () AS line, *, record.item AS item"
            f" FROM read_ndjson('{raw}', columns = {{{columns}}}, compression = 'gzip')"
        )
        for name, query in _TABLES.items():
            connection.execute(f"COPY ({query}) TO '{folder / name}.parquet' (FORMAT parquet, COMPRESSION zstd)")
