-- The saved tracks: the newest complete full read and every complete read that ended after it had begun.
-- Grain: account_id, item_uri, of which the newest added_at counts; entries without a URI ('') are told apart by added_at.
-- A track that was unsaved stands until the next full read.
WITH repetitions AS (
    SELECT
        account_id,
        stream,
        unit,
        mode,
        started_at,
        finished_at,
        read_keys,
        row_number() OVER (PARTITION BY account_id, stream, unit, read_id ORDER BY recency DESC) AS repetition
    FROM complete_reads
    WHERE stream = 'saved_tracks'
),

-- A read is as old as the first run that has it: `unchanged` says that nothing came since, not that nothing left.
-- The windows keep to the partitions of complete_reads, so that Trino moves no row for them.
reads AS (
    SELECT
        account_id,
        finished_at,
        read_keys,
        max(CASE WHEN mode = 'full' THEN started_at END) OVER (PARTITION BY account_id, stream, unit) AS full_started_at
    FROM repetitions
    WHERE repetition = 1
),

objects AS (
    SELECT DISTINCT r.account_id, k._raw_key
    FROM reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    WHERE r.finished_at >= r.full_started_at
)

SELECT
    account_id,
    added_at,
    CAST(added_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS added_at_local,
    item_uri,
    item_type,
    is_local,
    is_available,
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
        t.added_at,
        t.item_uri,
        t.item_type,
        t.is_local,
        t.is_available,
        t.track_id,
        t.track_name,
        t.artist_name,
        t.album_name,
        t.duration_ms,
        t._read_id,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.item_uri, CASE WHEN t.item_uri = '' THEN t.added_at END
            ORDER BY t.added_at DESC, t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM objects AS o
    JOIN saved_tracks AS t ON t._raw_key = o._raw_key AND t.account_id = o.account_id
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE v.stream = 'saved_tracks'
) AS ranked
WHERE age = 1
