-- Every album that came up in any read: for each column the newest value that is not null.
-- Grain: account_id, album_id. A simplified object therefore never blanks what a full one said.
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
        a.account_id,
        a.album_id,
        a.uri,
        a.name,
        a.album_type,
        a.release_date,
        a.release_date_precision,
        a.release_year,
        a.released_on,
        a.total_tracks,
        a.upc,
        a.label,
        a.popularity,
        a.genres,
        a.available_markets,
        a.image_url,
        a.spotify_url,
        a._extracted_at,
        row_number() OVER (
            PARTITION BY a.account_id, a.album_id
            ORDER BY a._extracted_at DESC, a._raw_key DESC, a._line DESC
        ) AS age
    FROM albums AS a
    JOIN line_versions AS v
        ON v._raw_key = a._raw_key AND v._line = a._line AND v._schema_version = a._schema_version
) AS ranked
GROUP BY account_id, album_id
