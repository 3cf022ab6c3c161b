-- Every artist that came up in any read: for each column the newest value that is not null.
-- Grain: account_id, artist_id. A simplified object therefore never blanks what a full one said.
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
        a.account_id,
        a.artist_id,
        a.uri,
        a.name,
        a.genres,
        a.popularity,
        a.followers,
        a.image_url,
        a.spotify_url,
        a._extracted_at,
        row_number() OVER (
            PARTITION BY a.account_id, a.artist_id
            ORDER BY a._extracted_at DESC, a._raw_key DESC, a._line DESC
        ) AS age
    FROM artists AS a
    JOIN line_versions AS v
        ON v._raw_key = a._raw_key AND v._line = a._line AND v._schema_version = a._schema_version
) AS ranked
GROUP BY account_id, artist_id
