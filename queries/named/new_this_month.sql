-- What is new in the local month of the newest run: tracks and albums you saved, items added to your playlists.
WITH months AS (
    SELECT account_id, date_trunc('month', scheduled_at_local) AS started_at
    FROM newest_run
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
WHERE a.added_at_local >= m.started_at
ORDER BY a.account_id, a.added_at_local DESC, a.kind, a.uri, a.playlist_name
