-- The artists you heard most, by Spotify's ranking, from the newest complete read, which has all three time ranges.
-- Grain: account_id, time_range, rank.
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
        a.account_id,
        a.time_range,
        a.rank,
        a.artist_id,
        a.uri,
        a.artist_name,
        a._read_id,
        a._extracted_at,
        row_number() OVER (
            PARTITION BY a.account_id, a.time_range, a.rank
            ORDER BY a._extracted_at DESC, a._raw_key DESC, a._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN top_artists AS a
        ON a._raw_key = k._raw_key AND a.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = a._raw_key AND v._line = a._line AND v._schema_version = a._schema_version
    WHERE r.stream = 'top_artists' AND r.recency = 1 AND v.stream = 'top_artists'
) AS ranked
WHERE age = 1
