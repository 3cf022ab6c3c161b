-- The albums you played most over four weeks, twelve months and all time, up to 50 each per account.
-- Albums are identified by artist and title; plays from the small export have no album.
-- minutes_at_most counts the whole track for a play from the API.
WITH heard AS (
    SELECT
        l.account_id,
        l.album_name,
        l.artist_name,
        l.item_key,
        l.heard_at,
        l.heard_at_local,
        l.ms_heard_at_most,
        n.as_of
    FROM listens AS l
    JOIN newest_run AS n ON n.account_id = l.account_id
    WHERE l.is_listen AND l.item_type = 'track' AND l.album_name <> ''
),

counted AS (
    SELECT
        h.account_id,
        p.period,
        h.album_name,
        h.artist_name,
        count(*) AS listens,
        count(DISTINCT nullif(h.item_key, '')) AS tracks,
        round(CAST(sum(coalesce(h.ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
        max(h.heard_at_local) AS last_heard_at
    FROM heard AS h
    CROSS JOIN UNNEST(ARRAY['four weeks', 'twelve months', 'ever']) AS p (period)
    WHERE p.period = 'ever'
        OR (p.period = 'twelve months' AND h.heard_at >= date_add('month', -12, h.as_of))
        OR (p.period = 'four weeks' AND h.heard_at >= date_add('day', -28, h.as_of))
    GROUP BY h.account_id, p.period, h.album_name, h.artist_name
),

ranked AS (
    SELECT
        account_id,
        period,
        row_number() OVER (
            PARTITION BY account_id, period
            ORDER BY listens DESC, minutes_at_most DESC, album_name, artist_name
        ) AS place,
        album_name,
        artist_name,
        listens,
        tracks,
        minutes_at_most,
        last_heard_at
    FROM counted
)

SELECT account_id, period, place, album_name, artist_name, listens, tracks, minutes_at_most, last_heard_at
FROM ranked
WHERE place <= 50
ORDER BY account_id, period, place
