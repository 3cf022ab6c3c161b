-- The tracks you keep coming back to: heard on the most local days.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        50 AS number -- tracks per account
),

numbered AS (
    SELECT
        l.account_id,
        l.item_key,
        nullif(l.item_key, l.title_key) AS item_uri,
        l.track_name,
        l.artist_name,
        l.played_on,
        row_number() OVER (
            PARTITION BY l.account_id, l.item_key
            ORDER BY CASE WHEN l.track_name <> '' THEN 0 ELSE 1 END, l.heard_at DESC, l._extracted_at DESC
        ) AS age
    FROM listens AS l
    CROSS JOIN parameters AS p
    WHERE l.is_listen AND l.item_type = 'track' AND l.item_key <> ''
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
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
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
