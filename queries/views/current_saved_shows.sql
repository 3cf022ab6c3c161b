-- The podcast shows the user has saved, from the newest complete read.
-- Grain: account_id, show_id.
-- Generated from queries/templates/snapshot.sql by `make views`: edit the template.
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
        t.account_id,
        t.show_id,
        t.added_at,
        t.uri,
        t.show_name,
        t.publisher,
        t.total_episodes,
        t._read_id,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.show_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN saved_shows AS t
        ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE r.stream = 'saved_shows' AND r.recency = 1 AND v.stream = 'saved_shows'
) AS ranked
WHERE age = 1
