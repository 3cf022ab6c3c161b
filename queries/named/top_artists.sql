-- The artists heard most in the last four weeks, fifty an account.
WITH heard AS (
    SELECT
        l.account_id,
        l.artist_name,
        count(*) AS listens,
        count(DISTINCT l.item_uri) AS tracks,
        round(CAST(sum(coalesce(l.ms_played, l.duration_ms, 0)) AS double) / 60000e0, 1) AS minutes,
        max(l.played_at_local) AS last_heard_at
    FROM listens AS l
    JOIN newest_run AS n ON n.account_id = l.account_id
    WHERE l.played_at >= date_add('day', -28, n.scheduled_at) AND l.artist_name IS NOT NULL
    GROUP BY l.account_id, l.artist_name
),

ranked AS (
    SELECT
        account_id,
        row_number() OVER (PARTITION BY account_id ORDER BY listens DESC, minutes DESC, artist_name) AS place,
        artist_name,
        listens,
        tracks,
        minutes,
        last_heard_at
    FROM heard
)

SELECT account_id, place, artist_name, listens, tracks, minutes, last_heard_at
FROM ranked
WHERE place <= 50
ORDER BY account_id, place
