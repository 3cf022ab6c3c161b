-- Saved albums that you have never played a track of, or not in any period, oldest saves first.
-- Plays are matched by album id and by artist and title, since one album can have several ids. A play without an album
-- is matched by artist and track.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
),

played AS (
    SELECT DISTINCT l.account_id, k.album_key
    FROM listens AS l
    LEFT JOIN current_tracks AS t ON t.account_id = l.account_id AND t.track_id = l.track_id
    CROSS JOIN UNNEST(
        ARRAY[
            'id:' || t.album_id,
            'title:' || replace(lower(l.artist_name), '/', '//') || ' / ' || lower(nullif(l.album_name, '')),
            CASE WHEN coalesce(l.album_name, '') = '' THEN 'track:' || l.title_key END
        ]
    ) AS k (album_key)
    CROSS JOIN parameters AS p
    WHERE l.is_listen AND k.album_key IS NOT NULL
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
),

saved AS (
    SELECT
        a.account_id,
        a.album_id,
        a.album_name,
        a.artist_name,
        a.added_at,
        a.added_at_local,
        k.album_key
    FROM current_saved_albums AS a
    LEFT JOIN current_tracks AS t ON t.account_id = a.account_id AND t.album_id = a.album_id
    CROSS JOIN UNNEST(
        ARRAY[
            'id:' || a.album_id,
            'title:' || replace(lower(a.artist_name), '/', '//') || ' / ' || lower(nullif(a.album_name, '')),
            'track:' || replace(lower(a.artist_name), '/', '//') || ' / ' || lower(nullif(t.name, ''))
        ]
    ) AS k (album_key)
),

never_played AS (
    SELECT
        s.account_id,
        s.album_id,
        s.album_name,
        s.artist_name,
        s.added_at,
        s.added_at_local
    FROM saved AS s
    LEFT JOIN played AS p ON p.account_id = s.account_id AND p.album_key = s.album_key
    GROUP BY s.account_id, s.album_id, s.album_name, s.artist_name, s.added_at, s.added_at_local
    HAVING count(p.album_key) = 0
)

SELECT
    n.account_id,
    n.album_name,
    n.artist_name,
    n.added_at_local AS saved_at,
    d.total_tracks,
    d.release_year,
    n.album_id
FROM never_played AS n
LEFT JOIN current_albums AS d ON d.account_id = n.account_id AND d.album_id = n.album_id
ORDER BY n.account_id, n.added_at, n.album_name, n.album_id
