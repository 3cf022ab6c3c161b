-- Which decades your saved tracks come from.
WITH saved AS (
    SELECT
        s.account_id,
        s.item_uri,
        s.artist_name,
        a.release_year - a.release_year % 10 AS decade
    FROM current_saved_tracks AS s
    LEFT JOIN current_tracks AS t ON t.account_id = s.account_id AND t.track_id = s.track_id
    LEFT JOIN current_albums AS a ON a.account_id = t.account_id AND a.album_id = t.album_id
)

SELECT
    account_id,
    decade,
    count(*) AS tracks,
    count(DISTINCT artist_name) AS artists,
    round(100e0 * CAST(count(*) AS double) / CAST(sum(count(*)) OVER (PARTITION BY account_id) AS double), 1) AS percent
FROM saved
GROUP BY account_id, decade
ORDER BY account_id, decade NULLS LAST
