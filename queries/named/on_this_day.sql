-- What you heard on this day in earlier years, up to ten tracks per year, newest year first.
-- This day is the local day of `as_of`, which time windows on your listening count back from.
WITH heard AS (
    SELECT
        l.account_id,
        l.played_on,
        l.item_key,
        max(nullif(l.item_key, l.title_key)) AS item_uri,
        max(l.track_name) AS track_name,
        max(l.artist_name) AS artist_name,
        count(*) AS listens,
        min(l.heard_at_local) AS first_heard_at
    FROM listens AS l
    JOIN newest_run AS n ON n.account_id = l.account_id
    WHERE l.is_listen AND l.item_type = 'track' AND l.item_key <> ''
        AND month(l.played_on) = month(n.as_of_local)
        AND day(l.played_on) = day(n.as_of_local)
        AND year(l.played_on) < year(n.as_of_local)
    GROUP BY l.account_id, l.played_on, l.item_key
),

ranked AS (
    SELECT
        account_id,
        played_on,
        row_number() OVER (
            PARTITION BY account_id, played_on
            ORDER BY listens DESC, first_heard_at, item_key
        ) AS place,
        track_name,
        artist_name,
        listens,
        first_heard_at,
        item_uri
    FROM heard
)

SELECT account_id, played_on, place, track_name, artist_name, listens, first_heard_at, item_uri
FROM ranked
WHERE place <= 10
ORDER BY account_id, played_on DESC, place
