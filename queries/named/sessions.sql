-- Your listening sessions of the last four weeks, newest first: a pause of more than thirty minutes ends a session.
-- minutes: from the start of its first listen to the end of its last. With plays from the API they may be off by a
-- track, since Spotify dates some of those by their start and others by their end.
WITH heard AS (
    SELECT
        account_id,
        started_at,
        started_at_local,
        heard_at,
        heard_at_local,
        item_key,
        artist_name,
        max(heard_at) OVER (
            PARTITION BY account_id
            ORDER BY started_at, heard_at, item_key
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS heard_until
    FROM listens
    WHERE is_listen
),

-- Listens with the same number of pauses before them belong to one session.
numbered AS (
    SELECT
        account_id,
        started_at,
        started_at_local,
        heard_at,
        heard_at_local,
        item_key,
        artist_name,
        sum(CASE WHEN started_at <= date_add('minute', 30, heard_until) THEN 0 ELSE 1 END) OVER (
            PARTITION BY account_id
            ORDER BY started_at, heard_at, item_key
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS session
    FROM heard
),

-- Clocks may be set back during a session, so its last listen need not have the latest local time.
sessions AS (
    SELECT
        account_id,
        min(started_at) AS started_at,
        max(heard_at) AS ended_at,
        min_by(started_at_local, started_at) AS started_at_local,
        max_by(heard_at_local, heard_at) AS ended_at_local,
        count(*) AS listens,
        count(DISTINCT nullif(item_key, '')) AS different_items,
        count(DISTINCT nullif(artist_name, '')) AS artists
    FROM numbered
    GROUP BY account_id, session
)

SELECT
    s.account_id,
    s.started_at_local AS started_at,
    s.ended_at_local AS ended_at,
    round(CAST(date_diff('second', s.started_at, s.ended_at) AS double) / 60e0, 1) AS minutes,
    s.listens,
    s.different_items,
    s.artists
FROM sessions AS s
JOIN newest_run AS n ON n.account_id = s.account_id
WHERE s.ended_at >= date_add('day', -28, n.as_of)
ORDER BY s.account_id, s.ended_at DESC
