-- Every podcast show that came up in any read: for each column the newest value that is not null.
-- Grain: account_id, show_id. A simplified object therefore never blanks what a full one said.
SELECT
    account_id,
    show_id,
    min_by(uri, age) FILTER (WHERE uri IS NOT NULL) AS uri,
    min_by(name, age) FILTER (WHERE name IS NOT NULL) AS name,
    min_by(description, age) FILTER (WHERE description IS NOT NULL) AS description,
    min_by(publisher, age) FILTER (WHERE publisher IS NOT NULL) AS publisher,
    min_by(media_type, age) FILTER (WHERE media_type IS NOT NULL) AS media_type,
    min_by(languages, age) FILTER (WHERE languages IS NOT NULL) AS languages,
    min_by(explicit, age) FILTER (WHERE explicit IS NOT NULL) AS explicit,
    min_by(total_episodes, age) FILTER (WHERE total_episodes IS NOT NULL) AS total_episodes,
    min_by(image_url, age) FILTER (WHERE image_url IS NOT NULL) AS image_url,
    min_by(spotify_url, age) FILTER (WHERE spotify_url IS NOT NULL) AS spotify_url,
    max(_extracted_at) AS _extracted_at
FROM (
    SELECT
        s.account_id,
        s.show_id,
        s.uri,
        s.name,
        s.description,
        s.publisher,
        s.media_type,
        s.languages,
        s.explicit,
        s.total_episodes,
        s.image_url,
        s.spotify_url,
        s._extracted_at,
        row_number() OVER (
            PARTITION BY s.account_id, s.show_id
            ORDER BY s._extracted_at DESC, s._raw_key DESC, s._line DESC
        ) AS age
    FROM shows AS s
    JOIN line_versions AS v
        ON v._raw_key = s._raw_key AND v._line = s._line AND v._schema_version = s._schema_version
) AS ranked
GROUP BY account_id, show_id
