-- The tracks you played most over four weeks, twelve months and all time, up to 50 each per account.
-- Spotify's own ranking is in current_top_tracks. minutes_at_most counts the whole track for a play from the API.
WITH heard AS (
    SELECT
        l.account_id,
        l.item_key,
        nullif(l.item_key, l.title_key) AS item_uri,
        l.track_name,
        l.artist_name,
        l.heard_at,
        l.heard_at_local,
        l.ms_heard_at_most,
        n.as_of,
        row_number() OVER (
            PARTITION BY l.account_id, l.item_key
            ORDER BY CASE WHEN l.track_name <> '' THEN 0 ELSE 1 END, l.heard_at DESC, l._extracted_at DESC
        ) AS age
    FROM listens AS l
    JOIN newest_run AS n ON n.account_id = l.account_id
    WHERE l.is_listen AND l.item_type = 'track' AND l.item_key <> ''
),

counted AS (
    SELECT
        h.account_id,
        p.period,
        h.item_key,
        max(h.item_uri) AS item_uri,
        max(CASE WHEN h.age = 1 THEN h.track_name END) AS track_name,
        max(CASE WHEN h.age = 1 THEN h.artist_name END) AS artist_name,
        count(*) AS listens,
        round(CAST(sum(coalesce(h.ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
        max(h.heard_at_local) AS last_heard_at
    FROM heard AS h
    CROSS JOIN UNNEST(ARRAY['four weeks', 'twelve months', 'ever']) AS p (period)
    WHERE p.period = 'ever'
        OR (p.period = 'twelve months' AND h.heard_at >= date_add('month', -12, h.as_of))
        OR (p.period = 'four weeks' AND h.heard_at >= date_add('day', -28, h.as_of))
    GROUP BY h.account_id, p.period, h.item_key
),

ranked AS (
    SELECT
        account_id,
        period,
        row_number() OVER (
            PARTITION BY account_id, period
            ORDER BY listens DESC, minutes_at_most DESC, item_key
        ) AS place,
        track_name,
        artist_name,
        listens,
        minutes_at_most,
        last_heard_at,
        item_uri
    FROM counted
)

SELECT account_id, period, place, track_name, artist_name, listens, minutes_at_most, last_heard_at, item_uri
FROM ranked
WHERE place <= 50
ORDER BY account_id, period, place
