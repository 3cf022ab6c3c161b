-- The artists the user listens to most, from the newest complete read.
-- Grain: account_id, time_range, rank.
-- Generated from queries/templates/snapshot.sql by `make views`: edit the template.
SELECT
    account_id,
    time_range,
    rank,
    artist_id,
    uri,
    artist_name,
    _read_id,
    _extracted_at
FROM (
    SELECT
        t.account_id,
        t.time_range,
        t.rank,
        t.artist_id,
        t.uri,
        t.artist_name,
        t._read_id,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.time_range, t.rank
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN top_artists AS t
        ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE r.stream = 'top_artists' AND r.recency = 1 AND v.stream = 'top_artists'
) AS ranked
WHERE age = 1
