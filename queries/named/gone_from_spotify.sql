-- What is gone from Spotify: entries of your playlists and saved tracks without a track, with the names once read.
-- Spotify then sends only when an entry was added. An entry therefore gets the names of what was once read with the
-- same time and is no longer there; if there are several such names (candidates), you may have removed the others
-- yourself. `not playable` is what Spotify still names but does not play in your country.
WITH current_entries AS (
    SELECT
        account_id,
        playlist_id AS list_id,
        playlist_name AS list_name,
        item_uri,
        track_id,
        item_name,
        coalesce(artist_name, show_name) AS artist_name,
        album_name,
        added_at,
        added_at_local,
        is_available
    FROM current_playlist_items
    UNION ALL
    SELECT
        account_id,
        '' AS list_id,
        'saved tracks' AS list_name,
        item_uri,
        track_id,
        track_name AS item_name,
        artist_name,
        album_name,
        added_at,
        added_at_local,
        is_available
    FROM current_saved_tracks
),

gone AS (
    SELECT account_id, list_id, list_name, added_at, added_at_local, count(*) AS entries
    FROM current_entries
    WHERE item_uri = '' AND NOT is_available
    GROUP BY account_id, list_id, list_name, added_at, added_at_local
),

once_read AS (
    SELECT
        i.account_id,
        i.playlist_id AS list_id,
        i.item_uri,
        i.item_name,
        coalesce(i.artist_name, i.show_name) AS artist_name,
        i.album_name,
        i.added_at,
        i._extracted_at
    FROM playlist_items AS i
    JOIN line_versions AS v
        ON v._raw_key = i._raw_key AND v._line = i._line AND v._schema_version = i._schema_version
    WHERE v.stream = 'playlist_items' AND i.item_uri <> ''
    UNION ALL
    SELECT
        t.account_id,
        '' AS list_id,
        t.item_uri,
        t.track_name AS item_name,
        t.artist_name,
        t.album_name,
        t.added_at,
        t._extracted_at
    FROM saved_tracks AS t
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE v.stream = 'saved_tracks' AND t.item_uri <> ''
),

named AS (
    SELECT
        g.account_id,
        g.list_id,
        g.added_at,
        o.item_uri,
        max_by(coalesce(o.item_name, ''), o._extracted_at) AS item_name,
        max_by(coalesce(o.artist_name, ''), o._extracted_at) AS artist_name,
        max_by(coalesce(o.album_name, ''), o._extracted_at) AS album_name,
        count(*) OVER (PARTITION BY g.account_id, g.list_id, g.added_at) AS candidates
    FROM gone AS g
    JOIN once_read AS o ON o.account_id = g.account_id AND o.list_id = g.list_id AND o.added_at = g.added_at
    LEFT JOIN current_entries AS c
        ON c.account_id = o.account_id AND c.list_id = o.list_id AND c.item_uri = o.item_uri
    WHERE c.account_id IS NULL
    GROUP BY g.account_id, g.list_id, g.added_at, o.item_uri
),

found AS (
    SELECT
        g.account_id,
        'gone' AS reason,
        g.list_name,
        nullif(n.item_name, '') AS item_name,
        nullif(n.artist_name, '') AS artist_name,
        nullif(n.album_name, '') AS album_name,
        g.added_at_local AS added_at,
        g.entries,
        coalesce(n.candidates, 0) AS candidates,
        n.item_uri,
        g.list_id
    FROM gone AS g
    LEFT JOIN named AS n ON n.account_id = g.account_id AND n.list_id = g.list_id AND n.added_at = g.added_at
    UNION ALL
    SELECT
        c.account_id,
        'not playable' AS reason,
        c.list_name,
        c.item_name,
        c.artist_name,
        c.album_name,
        c.added_at_local AS added_at,
        count(*) AS entries,
        count(*) AS candidates,
        c.item_uri,
        c.list_id
    FROM current_entries AS c
    JOIN current_tracks AS t ON t.account_id = c.account_id AND t.track_id = c.track_id
    WHERE NOT t.is_playable
    GROUP BY
        c.account_id,
        c.list_name,
        c.item_name,
        c.artist_name,
        c.album_name,
        c.added_at_local,
        c.item_uri,
        c.list_id
)

SELECT
    account_id,
    reason,
    list_name,
    item_name,
    artist_name,
    album_name,
    added_at,
    entries,
    candidates,
    item_uri,
    list_id
FROM found
ORDER BY account_id, reason, list_name, list_id, added_at, item_uri
