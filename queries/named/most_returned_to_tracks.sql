-- The tracks you keep coming back to: heard on the most local days, up to 50 per account.
WITH numbered AS (
    SELECT
        account_id,
        item_key,
        nullif(item_key, title_key) AS item_uri,
        track_name,
        artist_name,
        played_on,
        row_number() OVER (
            PARTITION BY account_id, item_key
            ORDER BY CASE WHEN track_name <> '' THEN 0 ELSE 1 END, heard_at DESC, _extracted_at DESC
        ) AS age
    FROM listens
    WHERE is_listen AND item_type = 'track' AND item_key <> ''
),

tracks_heard AS (
    SELECT
        account_id,
        item_key,
        max(CASE WHEN age = 1 THEN track_name END) AS track_name,
        max(CASE WHEN age = 1 THEN artist_name END) AS artist_name,
        count(DISTINCT played_on) AS days,
        count(*) AS listens,
        min(played_on) AS first_day,
        max(played_on) AS last_day,
        max(item_uri) AS item_uri
    FROM numbered
    GROUP BY account_id, item_key
),

ranked AS (
    SELECT
        account_id,
        row_number() OVER (PARTITION BY account_id ORDER BY days DESC, listens DESC, item_key) AS place,
        track_name,
        artist_name,
        days,
        listens,
        first_day,
        last_day,
        item_uri
    FROM tracks_heard
    WHERE days > 1
)

SELECT account_id, place, track_name, artist_name, days, listens, first_day, last_day, item_uri
FROM ranked
WHERE place <= 50
ORDER BY account_id, place
