-- When each artist was heard for the first time, and with which track; the newest discovery first.
WITH numbered AS (
    SELECT
        account_id,
        artist_name,
        track_name,
        played_at,
        played_at_local,
        row_number() OVER (PARTITION BY account_id, artist_name ORDER BY played_at, item_uri) AS nth,
        count(*) OVER (PARTITION BY account_id, artist_name) AS listens
    FROM listens
    WHERE artist_name IS NOT NULL
)

SELECT
    account_id,
    artist_name,
    played_at_local AS first_heard_at,
    track_name AS first_track,
    listens AS listens_since
FROM numbered
WHERE nth = 1
ORDER BY account_id, played_at DESC, artist_name
