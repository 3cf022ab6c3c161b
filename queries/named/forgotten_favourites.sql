-- Forgotten favourites: tracks you heard ten or more times, but not in the last twelve months, up to 100 per account.
-- A track that you have since heard under another URI (same artist and title) is not forgotten.
WITH numbered AS (
    SELECT
        account_id,
        item_key,
        nullif(item_key, title_key) AS item_uri,
        track_name,
        artist_name,
        heard_at_local,
        max(heard_at) OVER same_title AS last_heard_utc,
        max(heard_at_local) OVER same_title AS last_heard_at,
        row_number() OVER (
            PARTITION BY account_id, item_key
            ORDER BY CASE WHEN track_name <> '' THEN 0 ELSE 1 END, heard_at DESC, _extracted_at DESC
        ) AS age
    FROM listens
    WHERE is_listen AND item_type = 'track' AND item_key <> ''
    WINDOW same_title AS (PARTITION BY account_id, coalesce(title_key, item_key))
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
        max(last_heard_at) AS last_heard_at,
        max(last_heard_utc) AS last_heard_utc
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
