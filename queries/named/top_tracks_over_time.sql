-- How your top tracks changed rank from read to read in the four weeks before the newest run, newest read first.
-- Only reads that differ from the previous one. previous_rank is null if the track was not in the previous read.
WITH reads AS (
    SELECT
        account_id,
        started_at,
        read_keys,
        row_number() OVER (PARTITION BY account_id ORDER BY started_at, read_id) AS nth
    FROM (
        SELECT
            account_id,
            read_id,
            started_at,
            read_keys,
            row_number() OVER (PARTITION BY account_id, read_id ORDER BY recency DESC) AS repetition
        FROM complete_reads
        WHERE stream = 'top_tracks'
    ) AS repeated
    WHERE repetition = 1
),

lines AS (
    SELECT
        r.account_id,
        r.nth,
        r.started_at,
        t.time_range,
        t.item_uri,
        t.rank,
        t.track_name,
        t.artist_name,
        rank() OVER (PARTITION BY t._raw_key, t._line ORDER BY t._schema_version DESC) AS version_age
    FROM reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN top_tracks AS t ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    LEFT JOIN object_versions AS v ON v.stream = 'top_tracks' AND v._raw_key = t._raw_key
    WHERE t._schema_version >= coalesce(v._schema_version, 0)
),

-- A track that was on two pages gets its better rank.
places AS (
    SELECT
        account_id,
        nth,
        started_at,
        time_range,
        item_uri,
        min(rank) AS rank,
        min(track_name) AS track_name,
        min(artist_name) AS artist_name
    FROM lines
    WHERE version_age = 1 AND item_uri <> ''
    GROUP BY account_id, nth, started_at, time_range, item_uri
),

moved AS (
    SELECT
        account_id,
        started_at,
        time_range,
        rank,
        CASE
            WHEN lag(nth) OVER (PARTITION BY account_id, time_range, item_uri ORDER BY nth) = nth - 1
                THEN lag(rank) OVER (PARTITION BY account_id, time_range, item_uri ORDER BY nth)
        END AS previous_rank,
        track_name,
        artist_name,
        item_uri
    FROM places
)

SELECT
    m.account_id,
    m.started_at AS read_at,
    m.time_range,
    m.rank,
    m.previous_rank,
    m.previous_rank - m.rank AS places_gained,
    m.track_name,
    m.artist_name,
    m.item_uri
FROM moved AS m
JOIN newest_run AS n ON n.account_id = m.account_id
WHERE m.started_at >= date_add('day', -28, n.scheduled_at)
ORDER BY m.account_id, m.started_at DESC, m.time_range, m.rank, m.item_uri
