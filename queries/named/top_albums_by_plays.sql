-- The albums you played most over four weeks, twelve months and all time, or in any period.
-- Albums are identified by artist and title. Plays from the small export have no album.
-- minutes_at_most counts the whole track for a play from the API.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, without a period the three
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        CAST(NULL AS varchar) AS artist, -- only this artist's, in any case, or null for everyone's
        50 AS number -- albums per account and period
),

heard AS (
    SELECT
        l.account_id,
        l.album_name,
        l.artist_name,
        l.item_key,
        l.played_on,
        l.heard_at,
        l.heard_at_local,
        l.ms_heard_at_most,
        n.as_of
    FROM listens AS l
    JOIN newest_run AS n ON n.account_id = l.account_id
    CROSS JOIN parameters AS p
    WHERE l.is_listen AND l.item_type = 'track' AND l.album_name <> ''
        AND (p.artist IS NULL OR lower(l.artist_name) = lower(p.artist))
),

counted AS (
    SELECT
        h.account_id,
        w.period,
        h.album_name,
        h.artist_name,
        count(*) AS listens,
        count(DISTINCT nullif(h.item_key, '')) AS tracks,
        round(CAST(sum(coalesce(h.ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
        max(h.heard_at_local) AS last_heard_at
    FROM heard AS h
    CROSS JOIN parameters AS p
    CROSS JOIN UNNEST(ARRAY['four weeks', 'twelve months', 'ever', 'chosen']) AS w (period)
    WHERE (
        coalesce(p.from_date, p.to_date) IS NULL
        AND (
            w.period = 'ever'
            OR (w.period = 'twelve months' AND h.heard_at >= date_add('month', -12, h.as_of))
            OR (w.period = 'four weeks' AND h.heard_at >= date_add('day', -28, h.as_of))
        )
    )
    OR (
        w.period = 'chosen'
        AND coalesce(p.from_date, p.to_date) IS NOT NULL
        AND (p.from_date IS NULL OR h.played_on >= p.from_date)
        AND (p.to_date IS NULL OR h.played_on <= p.to_date)
    )
    GROUP BY h.account_id, w.period, h.album_name, h.artist_name
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
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, period, place
