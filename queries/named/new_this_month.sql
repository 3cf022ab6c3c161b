-- What is new in the local month of the newest run, or in any period: saved tracks and albums, playlist items.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, without a period the first of the month
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
),

months AS (
    SELECT
        account_id,
        date_trunc('month', max(CASE WHEN "trigger" <> 'import' THEN scheduled_at_local END)) AS started_at
    FROM run_history
    GROUP BY account_id
),

additions AS (
    SELECT
        account_id,
        'saved track' AS kind,
        added_at_local,
        track_name AS name,
        artist_name,
        CAST(NULL AS varchar) AS playlist_name,
        item_uri AS uri
    FROM current_saved_tracks
    UNION ALL
    SELECT
        account_id,
        'saved album' AS kind,
        added_at_local,
        album_name AS name,
        artist_name,
        CAST(NULL AS varchar) AS playlist_name,
        uri
    FROM current_saved_albums
    UNION ALL
    SELECT
        account_id,
        'playlist entry' AS kind,
        added_at_local,
        item_name AS name,
        coalesce(artist_name, show_name) AS artist_name,
        playlist_name,
        item_uri AS uri
    FROM current_playlist_items
)

SELECT
    a.account_id,
    a.kind,
    a.added_at_local AS added_at,
    a.name,
    a.artist_name,
    a.playlist_name,
    a.uri
FROM additions AS a
JOIN months AS m ON m.account_id = a.account_id
CROSS JOIN parameters AS p
WHERE (p.from_date IS NULL OR CAST(a.added_at_local AS date) >= p.from_date)
    AND (p.to_date IS NULL OR CAST(a.added_at_local AS date) <= p.to_date)
    AND (coalesce(p.from_date, p.to_date) IS NOT NULL OR a.added_at_local >= m.started_at)
ORDER BY a.account_id, a.added_at_local DESC, a.kind, a.uri, a.playlist_name
