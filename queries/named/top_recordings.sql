-- The recordings you played most: tracks with the same ISRC are one, on whichever album and under whichever URI.
-- Tracks without a known ISRC count by themselves. minutes_at_most counts the whole track for a play from the API.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        CAST(NULL AS varchar) AS artist, -- only this artist's, in any case, or null for everyone's
        50 AS number -- recordings per account
),

-- A play without a URI has that of its title as its item_key.
isrcs AS (
    SELECT account_id, 'spotify:track:' || track_id AS item_key, upper(isrc) AS isrc
    FROM current_tracks
    WHERE isrc <> ''
),

heard AS (
    SELECT
        l.account_id,
        coalesce('isrc:' || i.isrc, l.item_key) AS recording,
        i.isrc,
        l.item_key,
        first_value(l.track_name) OVER newest AS track_name,
        first_value(l.artist_name) OVER newest AS artist_name,
        l.heard_at_local,
        l.ms_heard_at_most
    FROM listens AS l
    LEFT JOIN isrcs AS i ON i.account_id = l.account_id AND i.item_key = l.item_key
    CROSS JOIN parameters AS p
    WHERE l.is_listen AND l.item_type = 'track' AND l.item_key <> ''
        AND (p.artist IS NULL OR lower(l.artist_name) = lower(p.artist))
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
    WINDOW newest AS (
        PARTITION BY l.account_id, coalesce('isrc:' || i.isrc, l.item_key)
        ORDER BY CASE WHEN l.track_name <> '' THEN 0 ELSE 1 END, l.heard_at DESC, l.item_key
    )
),

ranked AS (
    SELECT
        account_id,
        row_number() OVER (
            PARTITION BY account_id
            ORDER BY count(*) DESC, sum(coalesce(ms_heard_at_most, 0)) DESC, recording
        ) AS place,
        max(track_name) AS track_name,
        max(artist_name) AS artist_name,
        count(*) AS listens,
        count(DISTINCT item_key) AS versions,
        round(CAST(sum(coalesce(ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
        max(heard_at_local) AS last_heard_at,
        max(isrc) AS isrc
    FROM heard
    GROUP BY account_id, recording
)

SELECT account_id, place, track_name, artist_name, listens, versions, minutes_at_most, last_heard_at, isrc
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
