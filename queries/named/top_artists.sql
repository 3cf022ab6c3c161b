-- The artists you heard most in the last four weeks, or in any period.
-- minutes_at_most counts the whole track for a play from the API.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, without a period the last four weeks
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        50 AS number -- artists per account
),

heard AS (
    SELECT
        l.account_id,
        l.artist_name,
        count(*) AS listens,
        count(DISTINCT nullif(l.item_key, '')) AS tracks,
        round(CAST(sum(coalesce(l.ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
        max(l.heard_at_local) AS last_heard_at
    FROM listens AS l
    JOIN newest_run AS n ON n.account_id = l.account_id
    CROSS JOIN parameters AS p
    WHERE l.is_listen AND l.item_type = 'track' AND l.artist_name <> ''
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
        AND (coalesce(p.from_date, p.to_date) IS NOT NULL OR l.heard_at >= date_add('day', -28, n.as_of))
    GROUP BY l.account_id, l.artist_name
),

ranked AS (
    SELECT
        account_id,
        row_number() OVER (PARTITION BY account_id ORDER BY listens DESC, minutes_at_most DESC, artist_name) AS place,
        artist_name,
        listens,
        tracks,
        minutes_at_most,
        last_heard_at
    FROM heard
)

SELECT account_id, place, artist_name, listens, tracks, minutes_at_most, last_heard_at
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
