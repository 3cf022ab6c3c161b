-- When you first heard each artist, and with which track, the newest discovery first.
-- With a period: the artists first heard in it. listens_since counts all listens since.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
),

numbered AS (
    SELECT
        account_id,
        artist_name,
        track_name,
        played_on,
        heard_at,
        heard_at_local,
        row_number() OVER (PARTITION BY account_id, artist_name ORDER BY heard_at, item_key) AS nth,
        count(*) OVER (PARTITION BY account_id, artist_name) AS listens
    FROM listens
    WHERE is_listen AND item_type = 'track' AND artist_name <> ''
)

SELECT
    n.account_id,
    n.artist_name,
    n.heard_at_local AS first_heard_at,
    n.track_name AS first_track,
    n.listens AS listens_since
FROM numbered AS n
CROSS JOIN parameters AS p
WHERE n.nth = 1
    AND (p.from_date IS NULL OR n.played_on >= p.from_date)
    AND (p.to_date IS NULL OR n.played_on <= p.to_date)
ORDER BY n.account_id, n.heard_at DESC, n.artist_name
