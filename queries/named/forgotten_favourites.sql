-- Forgotten favourites: tracks you heard ten or more times, but not in the last twelve months.
-- With a period: those heard so often within it.
-- A track that you have since heard under another URI (same artist and title) is not forgotten.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        10 AS at_least, -- listens of a favourite
        12 AS silent_months, -- months without a listen
        100 AS number -- tracks per account
),

numbered AS (
    SELECT
        account_id,
        item_key,
        nullif(item_key, title_key) AS item_uri,
        track_name,
        artist_name,
        played_on,
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
        n.account_id,
        n.item_key,
        max(n.item_uri) AS item_uri,
        max(CASE WHEN n.age = 1 THEN n.track_name END) AS track_name,
        max(CASE WHEN n.age = 1 THEN n.artist_name END) AS artist_name,
        count_if(
            (p.from_date IS NULL OR n.played_on >= p.from_date) AND (p.to_date IS NULL OR n.played_on <= p.to_date)
        ) AS listens,
        min(n.heard_at_local) AS first_heard_at,
        max(n.last_heard_at) AS last_heard_at,
        max(n.last_heard_utc) AS last_heard_utc
    FROM numbered AS n
    CROSS JOIN parameters AS p
    GROUP BY n.account_id, n.item_key
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
    CROSS JOIN parameters AS p
    WHERE t.listens >= p.at_least AND t.last_heard_utc < date_add('month', -p.silent_months, n.as_of)
)

SELECT account_id, place, track_name, artist_name, listens, first_heard_at, last_heard_at, item_uri
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
