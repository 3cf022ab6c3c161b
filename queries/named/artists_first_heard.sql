-- When you first heard each artist, and with which track; the newest discovery first.
WITH numbered AS (
    SELECT
        account_id,
        artist_name,
        track_name,
        heard_at,
        heard_at_local,
        row_number() OVER (PARTITION BY account_id, artist_name ORDER BY heard_at, item_key) AS nth,
        count(*) OVER (PARTITION BY account_id, artist_name) AS listens
    FROM listens
    WHERE is_listen AND item_type = 'track' AND artist_name <> ''
)

SELECT
    account_id,
    artist_name,
    heard_at_local AS first_heard_at,
    track_name AS first_track,
    listens AS listens_since
FROM numbered
WHERE nth = 1
ORDER BY account_id, heard_at DESC, artist_name
