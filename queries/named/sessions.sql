-- Your listening sessions of the last four weeks, or of any period, newest first.
-- A pause of more than thirty minutes ends a session, which belongs to the day on which it began.
-- minutes: from the start of its first listen to the end of its last. With plays from the API they may be off by a
-- track, since Spotify dates some of those by their start and others by their end.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, without a period the last four weeks
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        30 AS pause_minutes -- longest pause within a session
),

heard AS (
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
        h.account_id,
        h.started_at,
        h.started_at_local,
        h.heard_at,
        h.heard_at_local,
        h.item_key,
        h.artist_name,
        sum(CASE WHEN h.started_at <= date_add('minute', p.pause_minutes, h.heard_until) THEN 0 ELSE 1 END) OVER (
            PARTITION BY h.account_id
            ORDER BY h.started_at, h.heard_at, h.item_key
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS session
    FROM heard AS h
    CROSS JOIN parameters AS p
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
CROSS JOIN parameters AS p
WHERE (p.from_date IS NULL OR CAST(s.started_at_local AS date) >= p.from_date)
    AND (p.to_date IS NULL OR CAST(s.started_at_local AS date) <= p.to_date)
    AND (coalesce(p.from_date, p.to_date) IS NOT NULL OR s.ended_at >= date_add('day', -28, n.as_of))
ORDER BY s.account_id, s.ended_at DESC
