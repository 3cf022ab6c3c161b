-- Your obsessions: the tracks you played most within seven local days, each with its peak week.
-- With a period, listens_ever too counts only the listens within it.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        50 AS number -- tracks per account
),

days AS (
    SELECT
        l.account_id,
        l.item_key,
        l.played_on,
        max(nullif(l.item_key, l.title_key)) AS item_uri,
        max(l.track_name) AS track_name,
        max(l.artist_name) AS artist_name,
        count(*) AS listens
    FROM listens AS l
    CROSS JOIN parameters AS p
    WHERE l.is_listen AND l.item_type = 'track' AND l.item_key <> ''
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
    GROUP BY l.account_id, l.item_key, l.played_on
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
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
