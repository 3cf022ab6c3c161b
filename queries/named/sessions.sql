-- Your listening sessions of the last four weeks, the newest first: a pause of more than thirty minutes ends one.
-- minutes run from the start of its first listen to the end of its last; for plays from the API these may be off by a
-- track, since Spotify dates some by their start and others by their end.
WITH heard AS (
    SELECT
        account_id,
        heard_at,
        heard_at_local,
        item_key,
        artist_name,
        coalesce(ms_heard_at_most, 0) AS ms,
        lag(heard_at) OVER (PARTITION BY account_id ORDER BY heard_at, item_key) AS previous_heard_at
    FROM listens
    WHERE is_listen
),

-- Listens with as many beginnings before them are of one session.
numbered AS (
    SELECT
        account_id,
        heard_at,
        heard_at_local,
        item_key,
        artist_name,
        ms,
        sum(
            CASE
                WHEN previous_heard_at >= date_add('minute', -30, date_add('millisecond', -ms, heard_at)) THEN 0
                ELSE 1
            END
        ) OVER (PARTITION BY account_id ORDER BY heard_at, item_key) AS session
    FROM heard
),

sessions AS (
    SELECT
        account_id,
        min(date_add('millisecond', -ms, heard_at)) AS started_at,
        max(heard_at) AS ended_at,
        min(date_add('millisecond', -ms, heard_at_local)) AS started_at_local,
        max(heard_at_local) AS ended_at_local,
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
