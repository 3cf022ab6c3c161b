-- The playlists you play from most, up to 50 per account; a playlist that is not in your library has no name.
-- Only the API says where a play came from, so all of its plays count, even within the span of an export.
-- last_played_at is in UTC.
WITH api_plays AS (
    SELECT
        account_id,
        playlist_id,
        item_uri,
        played_at,
        duration_ms
    FROM (
        SELECT
            p.account_id,
            regexp_extract(p.context_uri, ':playlist:([A-Za-z0-9]+)$', 1) AS playlist_id,
            p.item_uri,
            p.played_at,
            p.duration_ms,
            row_number() OVER (
                PARTITION BY p.account_id, p.played_at, p.item_uri
                ORDER BY p._extracted_at DESC, p._raw_key DESC, p._line DESC
            ) AS copy
        FROM plays AS p
        JOIN line_versions AS v
            ON v._raw_key = p._raw_key AND v._line = p._line AND v._schema_version = p._schema_version
        WHERE p.source = 'recently_played' AND v.stream = 'recently_played'
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
        max(played_at) AS last_played_at
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
WHERE place <= 50
ORDER BY account_id, place
