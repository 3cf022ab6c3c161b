-- Your saved podcast shows, from the newest complete read.
-- Grain: account_id, show_id.
SELECT
    account_id,
    show_id,
    added_at,
    CAST(added_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS added_at_local,
    uri,
    show_name,
    publisher,
    total_episodes,
    _read_id,
    _extracted_at
FROM (
    SELECT
        s.account_id,
        s.show_id,
        s.added_at,
        s.uri,
        s.show_name,
        s.publisher,
        s.total_episodes,
        s._read_id,
        s._extracted_at,
        row_number() OVER (
            PARTITION BY s.account_id, s.show_id
            ORDER BY s._extracted_at DESC, s._raw_key DESC, s._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN saved_shows AS s
        ON s._raw_key = k._raw_key AND s.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = s._raw_key AND v._line = s._line AND v._schema_version = s._schema_version
    WHERE r.stream = 'saved_shows' AND r.recency = 1 AND v.stream = 'saved_shows'
) AS ranked
WHERE age = 1
