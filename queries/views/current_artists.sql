-- Artists as they appeared in any stream: for each column the newest value that is not null.
-- Grain: account_id, artist_id. A simplified object therefore never erases a value from a full one.
-- Generated from queries/templates/entity.sql by `make views`: edit the template.
SELECT
    account_id,
    artist_id,
    min_by(uri, age) FILTER (WHERE uri IS NOT NULL) AS uri,
    min_by(name, age) FILTER (WHERE name IS NOT NULL) AS name,
    min_by(genres, age) FILTER (WHERE genres IS NOT NULL) AS genres,
    min_by(popularity, age) FILTER (WHERE popularity IS NOT NULL) AS popularity,
    min_by(followers, age) FILTER (WHERE followers IS NOT NULL) AS followers,
    min_by(image_url, age) FILTER (WHERE image_url IS NOT NULL) AS image_url,
    min_by(spotify_url, age) FILTER (WHERE spotify_url IS NOT NULL) AS spotify_url,
    max(_extracted_at) AS _extracted_at
FROM (
    SELECT
        t.account_id,
        t.artist_id,
        t.uri,
        t.name,
        t.genres,
        t.popularity,
        t.followers,
        t.image_url,
        t.spotify_url,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.artist_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM artists AS t
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
) AS ranked
GROUP BY account_id, artist_id
