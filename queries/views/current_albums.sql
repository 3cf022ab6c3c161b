-- Albums as they appeared in any stream: for each column the newest value that is not null.
-- Grain: account_id, album_id. A simplified object therefore never erases a value from a full one.
-- Generated from queries/templates/entity.sql by `make views`: edit the template.
SELECT
    account_id,
    album_id,
    min_by(uri, age) FILTER (WHERE uri IS NOT NULL) AS uri,
    min_by(name, age) FILTER (WHERE name IS NOT NULL) AS name,
    min_by(album_type, age) FILTER (WHERE album_type IS NOT NULL) AS album_type,
    min_by(release_date, age) FILTER (WHERE release_date IS NOT NULL) AS release_date,
    min_by(release_date_precision, age) FILTER (WHERE release_date_precision IS NOT NULL) AS release_date_precision,
    min_by(release_year, age) FILTER (WHERE release_year IS NOT NULL) AS release_year,
    min_by(released_on, age) FILTER (WHERE released_on IS NOT NULL) AS released_on,
    min_by(total_tracks, age) FILTER (WHERE total_tracks IS NOT NULL) AS total_tracks,
    min_by(upc, age) FILTER (WHERE upc IS NOT NULL) AS upc,
    min_by(label, age) FILTER (WHERE label IS NOT NULL) AS label,
    min_by(popularity, age) FILTER (WHERE popularity IS NOT NULL) AS popularity,
    min_by(genres, age) FILTER (WHERE genres IS NOT NULL) AS genres,
    min_by(available_markets, age) FILTER (WHERE available_markets IS NOT NULL) AS available_markets,
    min_by(image_url, age) FILTER (WHERE image_url IS NOT NULL) AS image_url,
    min_by(spotify_url, age) FILTER (WHERE spotify_url IS NOT NULL) AS spotify_url,
    max(_extracted_at) AS _extracted_at
FROM (
    SELECT
        t.account_id,
        t.album_id,
        t.uri,
        t.name,
        t.album_type,
        t.release_date,
        t.release_date_precision,
        t.release_year,
        t.released_on,
        t.total_tracks,
        t.upc,
        t.label,
        t.popularity,
        t.genres,
        t.available_markets,
        t.image_url,
        t.spotify_url,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.album_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM albums AS t
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
) AS ranked
GROUP BY account_id, album_id
