-- Your saved podcast episodes, from the newest complete read.
-- Grain: account_id, episode_id.
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
        e.account_id,
        e.episode_id,
        e.added_at,
        e.uri,
        e.episode_name,
        e.show_id,
        e.show_name,
        e.duration_ms,
        e._read_id,
        e._extracted_at,
        row_number() OVER (
            PARTITION BY e.account_id, e.episode_id
            ORDER BY e._extracted_at DESC, e._raw_key DESC, e._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN saved_episodes AS e
        ON e._raw_key = k._raw_key AND e.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = e._raw_key AND v._line = e._line AND v._schema_version = e._schema_version
    WHERE r.stream = 'saved_episodes' AND r.recency = 1 AND v.stream = 'saved_episodes'
) AS ranked
WHERE age = 1
