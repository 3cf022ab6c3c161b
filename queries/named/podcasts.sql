-- The podcasts you listened to most, by time, up to 50 per account.
-- Only exports include podcasts: the Web API omits them from recently played. Episodes whose show the export does not
-- name share the row without a show_name.
WITH heard AS (
    SELECT
        account_id,
        nullif(artist_name, '') AS show_name,
        count(*) AS listens,
        count(DISTINCT nullif(item_key, '')) AS episodes,
        round(CAST(sum(coalesce(ms_played, 0)) AS double) / 60000e0, 1) AS minutes,
        min(heard_at_local) AS first_heard_at,
        max(heard_at_local) AS last_heard_at
    FROM listens
    WHERE is_listen AND item_type = 'episode'
    GROUP BY account_id, nullif(artist_name, '')
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
WHERE place <= 50
ORDER BY account_id, place
