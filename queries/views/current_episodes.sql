-- Podcast episodes as they appeared in any stream: for each column the newest value that is not null.
-- Grain: account_id, episode_id. A simplified object therefore never erases a value from a full one.
-- Generated from queries/templates/entity.sql by `make views`: edit the template.
SELECT
    account_id,
    episode_id,
    min_by(uri, age) FILTER (WHERE uri IS NOT NULL) AS uri,
    min_by(name, age) FILTER (WHERE name IS NOT NULL) AS name,
    min_by(show_id, age) FILTER (WHERE show_id IS NOT NULL) AS show_id,
    min_by(description, age) FILTER (WHERE description IS NOT NULL) AS description,
    min_by(duration_ms, age) FILTER (WHERE duration_ms IS NOT NULL) AS duration_ms,
    min_by(explicit, age) FILTER (WHERE explicit IS NOT NULL) AS explicit,
    min_by(release_date, age) FILTER (WHERE release_date IS NOT NULL) AS release_date,
    min_by(release_date_precision, age) FILTER (WHERE release_date_precision IS NOT NULL) AS release_date_precision,
    min_by(release_year, age) FILTER (WHERE release_year IS NOT NULL) AS release_year,
    min_by(released_on, age) FILTER (WHERE released_on IS NOT NULL) AS released_on,
    min_by(languages, age) FILTER (WHERE languages IS NOT NULL) AS languages,
    min_by(is_playable, age) FILTER (WHERE is_playable IS NOT NULL) AS is_playable,
    min_by(fully_played, age) FILTER (WHERE fully_played IS NOT NULL) AS fully_played,
    min_by(resume_position_ms, age) FILTER (WHERE resume_position_ms IS NOT NULL) AS resume_position_ms,
    min_by(image_url, age) FILTER (WHERE image_url IS NOT NULL) AS image_url,
    min_by(spotify_url, age) FILTER (WHERE spotify_url IS NOT NULL) AS spotify_url,
    max(_extracted_at) AS _extracted_at
FROM (
    SELECT
        t.account_id,
        t.episode_id,
        t.uri,
        t.name,
        t.show_id,
        t.description,
        t.duration_ms,
        t.explicit,
        t.release_date,
        t.release_date_precision,
        t.release_year,
        t.released_on,
        t.languages,
        t.is_playable,
        t.fully_played,
        t.resume_position_ms,
        t.image_url,
        t.spotify_url,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.episode_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM episodes AS t
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
) AS ranked
GROUP BY account_id, episode_id
