-- Your obsessions: the tracks you played most within seven local days, each with its peak week, up to 50 per account.
WITH days AS (
    SELECT
        account_id,
        item_key,
        played_on,
        max(nullif(item_key, title_key)) AS item_uri,
        max(track_name) AS track_name,
        max(artist_name) AS artist_name,
        count(*) AS listens
    FROM listens
    WHERE is_listen AND item_type = 'track' AND item_key <> ''
    GROUP BY account_id, item_key, played_on
),

weeks AS (
    SELECT
        account_id,
        item_key,
        played_on,
        max(item_uri) OVER same_track AS item_uri,
        max(track_name) OVER same_track AS track_name,
        max(artist_name) OVER same_track AS artist_name,
        sum(listens) OVER (
            PARTITION BY account_id, item_key
            ORDER BY date_diff('day', DATE '2000-01-01', played_on)
            RANGE BETWEEN 6 PRECEDING AND CURRENT ROW
        ) AS listens,
        sum(listens) OVER same_track AS listens_ever
    FROM days
    WINDOW same_track AS (PARTITION BY account_id, item_key)
),

best AS (
    SELECT
        account_id,
        item_key,
        played_on,
        item_uri,
        track_name,
        artist_name,
        listens,
        listens_ever,
        row_number() OVER (PARTITION BY account_id, item_key ORDER BY listens DESC, played_on) AS nth
    FROM weeks
),

ranked AS (
    SELECT
        account_id,
        row_number() OVER (PARTITION BY account_id ORDER BY listens DESC, played_on DESC, item_key) AS place,
        track_name,
        artist_name,
        CAST(listens AS bigint) AS listens_in_week,
        CAST(date_add('day', -6, played_on) AS date) AS first_day,
        played_on AS last_day,
        CAST(listens_ever AS bigint) AS listens_ever,
        item_uri
    FROM best
    WHERE nth = 1 AND listens > 1
)

SELECT account_id, place, track_name, artist_name, listens_in_week, first_day, last_day, listens_ever, item_uri
FROM ranked
WHERE place <= 50
ORDER BY account_id, place
