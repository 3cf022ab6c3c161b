-- Recordings that stand in one playlist more than once, also under different ids (the same ISRC).
WITH recordings AS (
    SELECT
        i.account_id,
        i.playlist_id,
        i.position,
        i.item_uri,
        i.item_name,
        i.artist_name,
        coalesce(t.isrc, i.item_uri) AS recording
    FROM current_playlist_items AS i
    LEFT JOIN current_tracks AS t ON t.account_id = i.account_id AND t.track_id = i.track_id
    WHERE i.item_uri <> ''
),

repeated AS (
    SELECT
        account_id,
        playlist_id,
        recording,
        min_by(coalesce(item_name, ''), position) AS item_name,
        min_by(coalesce(artist_name, ''), position) AS artist_name,
        count(*) AS entries,
        count(DISTINCT item_uri) AS different_ids,
        min(position) AS first_position,
        max(position) AS last_position
    FROM recordings
    GROUP BY account_id, playlist_id, recording
    HAVING count(*) > 1
)

SELECT
    r.account_id,
    p.name AS playlist_name,
    r.item_name,
    r.artist_name,
    r.entries,
    r.different_ids,
    r.first_position,
    r.last_position,
    r.playlist_id
FROM repeated AS r
JOIN current_playlists AS p ON p.account_id = r.account_id AND p.playlist_id = r.playlist_id
ORDER BY r.account_id, r.entries DESC, p.name, r.playlist_id, r.first_position
