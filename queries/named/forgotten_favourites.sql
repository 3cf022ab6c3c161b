-- Forgotten favourites: tracks heard ten times and more but not in the last twelve months, a hundred an account.
WITH numbered AS (
    SELECT
        account_id,
        item_key,
        item_uri,
        track_name,
        artist_name,
        heard_at,
        heard_at_local,
        row_number() OVER (PARTITION BY account_id, item_key ORDER BY heard_at DESC, _extracted_at DESC) AS age
    FROM listens
    WHERE is_listen AND item_type = 'track' AND item_key <> ''
),

tracks_heard AS (
    SELECT
        account_id,
        item_key,
        max(item_uri) AS item_uri,
        max(CASE WHEN age = 1 THEN track_name END) AS track_name,
        max(CASE WHEN age = 1 THEN artist_name END) AS artist_name,
        count(*) AS listens,
        min(heard_at_local) AS first_heard_at,
        max(heard_at_local) AS last_heard_at,
        max(heard_at) AS last_heard_utc
    FROM numbered
    GROUP BY account_id, item_key
    HAVING count(*) >= 10
),

ranked AS (
    SELECT
        t.account_id,
        row_number() OVER (
            PARTITION BY t.account_id
            ORDER BY t.listens DESC, t.last_heard_utc DESC, t.item_key
        ) AS place,
        t.track_name,
        t.artist_name,
        t.listens,
        t.first_heard_at,
        t.last_heard_at,
        t.item_uri
    FROM tracks_heard AS t
    JOIN newest_run AS n ON n.account_id = t.account_id
    WHERE t.last_heard_utc < date_add('month', -12, n.as_of)
)

SELECT account_id, place, track_name, artist_name, listens, first_heard_at, last_heard_at, item_uri
FROM ranked
WHERE place <= 100
ORDER BY account_id, place
