-- The tracks the user listens to most, from the newest complete read.
-- Grain: account_id, time_range, rank.
-- Generated from queries/templates/snapshot.sql by `make views`: edit the template.
SELECT
    account_id,
    time_range,
    rank,
    item_uri,
    track_id,
    track_name,
    artist_name,
    album_name,
    duration_ms,
    _read_id,
    _extracted_at
FROM (
    SELECT
        t.account_id,
        t.time_range,
        t.rank,
        t.item_uri,
        t.track_id,
        t.track_name,
        t.artist_name,
        t.album_name,
        t.duration_ms,
        t._read_id,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.time_range, t.rank
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN top_tracks AS t
        ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE r.stream = 'top_tracks' AND r.recency = 1 AND v.stream = 'top_tracks'
) AS ranked
WHERE age = 1
