-- The podcasts you listened to most, by time.
-- Only exports include podcasts: the Web API omits them from recently played. Episodes whose show the export does not
-- name share the row without a show_name.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        50 AS number -- podcasts per account
),

heard AS (
    SELECT
        l.account_id,
        nullif(l.artist_name, '') AS show_name,
        count(*) AS listens,
        count(DISTINCT nullif(l.item_key, '')) AS episodes,
        round(CAST(sum(coalesce(l.ms_played, 0)) AS double) / 60000e0, 1) AS minutes,
        min(l.heard_at_local) AS first_heard_at,
        max(l.heard_at_local) AS last_heard_at
    FROM listens AS l
    CROSS JOIN parameters AS p
    WHERE l.is_listen AND l.item_type = 'episode'
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
    GROUP BY l.account_id, nullif(l.artist_name, '')
),

ranked AS (
    SELECT
        account_id,
        row_number() OVER (PARTITION BY account_id ORDER BY minutes DESC, listens DESC, show_name) AS place,
        show_name,
        listens,
        episodes,
        minutes,
        first_heard_at,
        last_heard_at
    FROM heard
)

SELECT account_id, place, show_name, listens, episodes, minutes, first_heard_at, last_heard_at
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
