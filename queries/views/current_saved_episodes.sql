-- The podcast episodes the user has saved, from the newest complete read.
-- Grain: account_id, episode_id.
-- Generated from queries/templates/snapshot.sql by `make views`: edit the template.
SELECT
    account_id,
    episode_id,
    added_at,
    CAST(added_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS added_at_local,
    uri,
    episode_name,
    show_id,
    show_name,
    duration_ms,
    _read_id,
    _extracted_at
FROM (
    SELECT
        t.account_id,
        t.episode_id,
        t.added_at,
        t.uri,
        t.episode_name,
        t.show_id,
        t.show_name,
        t.duration_ms,
        t._read_id,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.episode_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN saved_episodes AS t
        ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE r.stream = 'saved_episodes' AND r.recency = 1 AND v.stream = 'saved_episodes'
) AS ranked
WHERE age = 1
