-- Podcast shows as they appeared in any stream: for each column the newest value that is not null.
-- Grain: account_id, show_id. A simplified object therefore never erases a value from a full one.
-- Generated from queries/templates/entity.sql by `make views`: edit the template.
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
        t.account_id,
        t.show_id,
        t.uri,
        t.name,
        t.description,
        t.publisher,
        t.media_type,
        t.languages,
        t.explicit,
        t.total_episodes,
        t.image_url,
        t.spotify_url,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.show_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM shows AS t
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
) AS ranked
GROUP BY account_id, show_id
