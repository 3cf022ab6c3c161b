-- Saved albums of which no track was ever played, the longest saved first.
WITH played_albums AS (
    SELECT DISTINCT l.account_id, t.album_id
    FROM listens AS l
    JOIN current_tracks AS t ON t.account_id = l.account_id AND t.track_id = l.track_id
    WHERE t.album_id IS NOT NULL
),

-- The same album under another id, or a play that only has names.
played_titles AS (
    SELECT DISTINCT account_id, lower(album_name) AS album_title, lower(artist_name) AS artist
    FROM listens
    WHERE album_name <> '' AND artist_name IS NOT NULL
)

SELECT
    a.account_id,
    a.album_name,
    a.artist_name,
    a.added_at_local AS saved_at,
    d.total_tracks,
    d.release_year,
    a.album_id
FROM current_saved_albums AS a
LEFT JOIN current_albums AS d ON d.account_id = a.account_id AND d.album_id = a.album_id
LEFT JOIN played_albums AS p ON p.account_id = a.account_id AND p.album_id = a.album_id
LEFT JOIN played_titles AS t
    ON t.account_id = a.account_id
    AND t.album_title = lower(a.album_name)
    AND t.artist = lower(a.artist_name)
WHERE p.album_id IS NULL AND t.album_title IS NULL
ORDER BY a.account_id, a.added_at, a.album_name, a.album_id
