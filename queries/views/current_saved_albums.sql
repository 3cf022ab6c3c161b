-- Your saved albums, from the newest complete read.
-- Grain: account_id, album_id.
SELECT
    account_id,
    album_id,
    added_at,
    CAST(added_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS added_at_local,
    uri,
    album_name,
    artist_name,
    _read_id,
    _extracted_at
FROM (
    SELECT
        a.account_id,
        a.album_id,
        a.added_at,
        a.uri,
        a.album_name,
        a.artist_name,
        a._read_id,
        a._extracted_at,
        row_number() OVER (
            PARTITION BY a.account_id, a.album_id
            ORDER BY a._extracted_at DESC, a._raw_key DESC, a._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN saved_albums AS a
        ON a._raw_key = k._raw_key AND a.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = a._raw_key AND v._line = a._line AND v._schema_version = a._schema_version
    WHERE r.stream = 'saved_albums' AND r.recency = 1 AND v.stream = 'saved_albums'
) AS ranked
WHERE age = 1
