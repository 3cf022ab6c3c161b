-- Saved tracks not played in the last four weeks, those never heard first, a hundred an account.
WITH heard AS (
    SELECT account_id, item_uri, max(played_at) AS last_played_at, max(played_at_local) AS last_heard_at
    FROM listens
    GROUP BY account_id, item_uri
),

ranked AS (
    SELECT
        s.account_id,
        row_number() OVER (
            PARTITION BY s.account_id
            ORDER BY h.last_played_at NULLS FIRST, s.added_at, s.item_uri
        ) AS place,
        s.track_name,
        s.artist_name,
        s.added_at_local AS saved_at,
        h.last_heard_at,
        s.item_uri
    FROM current_saved_tracks AS s
    JOIN newest_run AS n ON n.account_id = s.account_id
    LEFT JOIN heard AS h ON h.account_id = s.account_id AND h.item_uri = s.item_uri
    WHERE s.item_uri <> ''
        AND (h.last_played_at IS NULL OR h.last_played_at < date_add('day', -28, n.scheduled_at))
)

SELECT account_id, place, track_name, artist_name, saved_at, last_heard_at, item_uri
FROM ranked
WHERE place <= 100
ORDER BY account_id, place
