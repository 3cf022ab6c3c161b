-- How many artists and tracks you heard for the first time in each local month, newest month first.
-- percent_new_artists is the share of the month's listens that went to artists first heard in that month.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
),

heard AS (
    SELECT
        account_id,
        played_on,
        CAST(date_trunc('month', played_on) AS date) AS month,
        artist_name,
        nullif(item_key, '') AS track_key,
        min(played_on) OVER (PARTITION BY account_id, artist_name) AS artist_first_heard_on,
        min(played_on) OVER (PARTITION BY account_id, item_key) AS track_first_heard_on
    FROM listens
    WHERE is_listen AND item_type = 'track' AND artist_name <> ''
)

SELECT
    h.account_id,
    h.month,
    count(DISTINCT CASE WHEN h.artist_first_heard_on >= h.month THEN h.artist_name END) AS new_artists,
    count(DISTINCT CASE WHEN h.track_first_heard_on >= h.month THEN h.track_key END) AS new_tracks,
    count(DISTINCT h.artist_name) AS artists,
    count(DISTINCT h.track_key) AS tracks,
    count(*) AS listens,
    round(
        100e0 * CAST(count_if(h.artist_first_heard_on >= h.month) AS double) / CAST(count(*) AS double),
        1
    ) AS percent_new_artists
FROM heard AS h
CROSS JOIN parameters AS p
WHERE (p.from_date IS NULL OR h.played_on >= p.from_date)
    AND (p.to_date IS NULL OR h.played_on <= p.to_date)
GROUP BY h.account_id, h.month
ORDER BY h.account_id, h.month DESC
