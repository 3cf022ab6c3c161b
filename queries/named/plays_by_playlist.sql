-- The playlists you play from most. A playlist that is not in your library has no name.
-- Only the API says where a play came from, so all of its plays count, even within the span of an export.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        50 AS number -- playlists per account
),

api_plays AS (
    SELECT
        account_id,
        playlist_id,
        item_uri,
        played_at_local,
        duration_ms
    FROM (
        SELECT
            c.account_id,
            regexp_extract(c.context_uri, ':playlist:([A-Za-z0-9]+)$', 1) AS playlist_id,
            c.item_uri,
            c.played_at_local,
            c.duration_ms,
            row_number() OVER (
                PARTITION BY c.account_id, c.played_at, c.item_uri
                ORDER BY c._extracted_at DESC, c._raw_key DESC, c._line DESC
            ) AS copy
        FROM counted_plays AS c
        CROSS JOIN parameters AS p
        WHERE c.source = 'recently_played'
            AND (p.from_date IS NULL OR CAST(c.played_at_local AS date) >= p.from_date)
            AND (p.to_date IS NULL OR CAST(c.played_at_local AS date) <= p.to_date)
    ) AS numbered
    WHERE copy = 1 AND playlist_id <> ''
),

counted AS (
    SELECT
        account_id,
        playlist_id,
        count(*) AS listens,
        count(DISTINCT nullif(item_uri, '')) AS different_tracks,
        round(CAST(sum(coalesce(duration_ms, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
        max(played_at_local) AS last_played_at
    FROM api_plays
    GROUP BY account_id, playlist_id
),

ranked AS (
    SELECT
        c.account_id,
        row_number() OVER (
            PARTITION BY c.account_id
            ORDER BY c.listens DESC, c.last_played_at DESC, c.playlist_id
        ) AS place,
        p.name AS playlist_name,
        c.listens,
        c.different_tracks,
        c.minutes_at_most,
        c.last_played_at,
        c.playlist_id
    FROM counted AS c
    LEFT JOIN current_playlists AS p ON p.account_id = c.account_id AND p.playlist_id = c.playlist_id
)

SELECT account_id, place, playlist_name, listens, different_tracks, minutes_at_most, last_played_at, playlist_id
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
