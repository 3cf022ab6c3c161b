-- Saved albums of which no track was ever played, the longest saved first.
WITH played AS (
    SELECT DISTINCT
        l.account_id,
        t.album_id,
        lower(l.album_name) AS album_title,
        lower(l.artist_name) AS artist
    FROM listens AS l
    LEFT JOIN current_tracks AS t ON t.account_id = l.account_id AND t.track_id = l.track_id
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
-- By title too: the same album has other ids, and a play from the export has only names.
LEFT JOIN played AS p
    ON p.account_id = a.account_id
    AND (
        p.album_id = a.album_id
        OR (p.album_title = lower(a.album_name) AND p.artist = lower(a.artist_name) AND p.album_title <> '')
    )
WHERE p.account_id IS NULL
ORDER BY a.account_id, a.added_at, a.album_name, a.album_id
