-- How many artists and tracks you heard for the first time in each local month, newest month first.
-- percent_new_artists is the share of the month's listens that went to artists first heard in that month.
WITH heard AS (
    SELECT
        account_id,
        CAST(date_trunc('month', played_on) AS date) AS month,
        artist_name,
        nullif(item_key, '') AS track_key,
        min(played_on) OVER (PARTITION BY account_id, artist_name) AS artist_first_heard_on,
        min(played_on) OVER (PARTITION BY account_id, item_key) AS track_first_heard_on
    FROM listens
    WHERE is_listen AND item_type = 'track' AND artist_name <> ''
)

SELECT
    account_id,
    month,
    count(DISTINCT CASE WHEN artist_first_heard_on >= month THEN artist_name END) AS new_artists,
    count(DISTINCT CASE WHEN track_first_heard_on >= month THEN track_key END) AS new_tracks,
    count(DISTINCT artist_name) AS artists,
    count(DISTINCT track_key) AS tracks,
    count(*) AS listens,
    round(100e0 * CAST(count_if(artist_first_heard_on >= month) AS double) / CAST(count(*) AS double), 1) AS percent_new_artists
FROM heard
GROUP BY account_id, month
ORDER BY account_id, month DESC
