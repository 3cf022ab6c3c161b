-- Recordings that are in a playlist more than once, even under different ids (same ISRC).
WITH recordings AS (
    SELECT
        i.account_id,
        i.playlist_id,
        i.playlist_name,
        i.position,
        i.item_uri,
        i.item_name,
        i.artist_name,
        coalesce(t.isrc, i.item_uri) AS recording
    FROM current_playlist_items AS i
    LEFT JOIN current_tracks AS t ON t.account_id = i.account_id AND t.track_id = i.track_id
    WHERE i.item_uri <> ''
)

SELECT
    account_id,
    playlist_name,
    min_by(coalesce(item_name, ''), position) AS item_name,
    min_by(coalesce(artist_name, ''), position) AS artist_name,
    count(*) AS entries,
    count(DISTINCT item_uri) AS different_ids,
    min(position) AS first_position,
    max(position) AS last_position,
    playlist_id
FROM recordings
GROUP BY account_id, playlist_id, playlist_name, recording
HAVING count(*) > 1
ORDER BY account_id, entries DESC, playlist_name, playlist_id, first_position
