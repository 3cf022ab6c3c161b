-- Tracks as they appeared in any stream: for each column the newest value that is not null.
-- Grain: account_id, track_id. A simplified object therefore never erases a value from a full one.
-- Generated from queries/templates/entity.sql by `make views`: edit the template.
SELECT
    account_id,
    track_id,
    min_by(uri, age) FILTER (WHERE uri IS NOT NULL) AS uri,
    min_by(name, age) FILTER (WHERE name IS NOT NULL) AS name,
    min_by(album_id, age) FILTER (WHERE album_id IS NOT NULL) AS album_id,
    min_by(disc_number, age) FILTER (WHERE disc_number IS NOT NULL) AS disc_number,
    min_by(track_number, age) FILTER (WHERE track_number IS NOT NULL) AS track_number,
    min_by(duration_ms, age) FILTER (WHERE duration_ms IS NOT NULL) AS duration_ms,
    min_by(explicit, age) FILTER (WHERE explicit IS NOT NULL) AS explicit,
    min_by(isrc, age) FILTER (WHERE isrc IS NOT NULL) AS isrc,
    min_by(is_playable, age) FILTER (WHERE is_playable IS NOT NULL) AS is_playable,
    min_by(popularity, age) FILTER (WHERE popularity IS NOT NULL) AS popularity,
    min_by(preview_url, age) FILTER (WHERE preview_url IS NOT NULL) AS preview_url,
    min_by(available_markets, age) FILTER (WHERE available_markets IS NOT NULL) AS available_markets,
    min_by(linked_from_id, age) FILTER (WHERE linked_from_id IS NOT NULL) AS linked_from_id,
    min_by(spotify_url, age) FILTER (WHERE spotify_url IS NOT NULL) AS spotify_url,
    max(_extracted_at) AS _extracted_at
FROM (
    SELECT
        t.account_id,
        t.track_id,
        t.uri,
        t.name,
        t.album_id,
        t.disc_number,
        t.track_number,
        t.duration_ms,
        t.explicit,
        t.isrc,
        t.is_playable,
        t.popularity,
        t.preview_url,
        t.available_markets,
        t.linked_from_id,
        t.spotify_url,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.track_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM tracks AS t
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
) AS ranked
GROUP BY account_id, track_id
