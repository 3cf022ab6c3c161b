-- What you heard on this day in earlier years, newest year first.
-- This day is the local day of `as_of`, which time windows on your listening count back from, or any other.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS on_date, -- local day, null: that of as_of
        10 AS number -- tracks per year
),

days AS (
    SELECT n.account_id, coalesce(p.on_date, CAST(n.as_of_local AS date)) AS this_day
    FROM newest_run AS n
    CROSS JOIN parameters AS p
),

heard AS (
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
    JOIN days AS d ON d.account_id = l.account_id
    WHERE l.is_listen AND l.item_type = 'track' AND l.item_key <> ''
        AND month(l.played_on) = month(d.this_day)
        AND day(l.played_on) = day(d.this_day)
        AND year(l.played_on) < year(d.this_day)
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
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, played_on DESC, place
