-- What the artists in your catalogue released in the twelve months before the newest run, or in any period.
-- Newest first. Only releases dated to the day. A release by two artists in the catalogue is listed once, under the
-- first.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first day of release, without a period a year before the newest run
        CAST(NULL AS date) AS to_date -- last day of release, null: no limit
),

releases AS (
    SELECT
        c.account_id,
        c.item_uri,
        c.name,
        c.artist_name,
        c.album_type,
        c.released_on,
        c.total_tracks,
        row_number() OVER (PARTITION BY c.account_id, c.item_uri ORDER BY c.requested_uri) AS nth
    FROM current_catalogue AS c
    JOIN newest_run AS n ON n.account_id = c.account_id
    CROSS JOIN parameters AS p
    WHERE c.item_type = 'album' AND c.requested_uri <> c.item_uri
        AND (p.from_date IS NULL OR c.released_on >= p.from_date)
        AND (p.to_date IS NULL OR c.released_on <= p.to_date)
        AND (
            coalesce(p.from_date, p.to_date) IS NOT NULL
            OR c.released_on >= CAST(date_add('month', -12, n.scheduled_at) AS date)
        )
)

SELECT account_id, released_on, artist_name, name, album_type, total_tracks, item_uri
FROM releases
WHERE nth = 1
ORDER BY account_id, released_on DESC, artist_name, name, item_uri
