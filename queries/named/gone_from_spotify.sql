-- What is gone from Spotify: entries of your playlists and saved tracks without a track, with the names once read.
-- Spotify then sends only when an entry was added. An entry therefore gets the names of what was once read with the
-- same time and is no longer there. If there are several such names (candidates), you may have removed the others
-- yourself. `not playable` is what Spotify still names but does not play in your country.
WITH lines AS (
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
        1 AS is_current,
        CASE WHEN is_available THEN 0 ELSE 1 END AS is_gone,
        _extracted_at
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
        1 AS is_current,
        CASE WHEN is_available THEN 0 ELSE 1 END AS is_gone,
        _extracted_at
    FROM current_saved_tracks
    UNION ALL
    SELECT
        account_id,
        playlist_id AS list_id,
        CAST(NULL AS varchar) AS list_name,
        item_uri,
        CAST(NULL AS varchar) AS track_id,
        item_name,
        coalesce(artist_name, show_name) AS artist_name,
        album_name,
        added_at,
        CAST(NULL AS timestamp) AS added_at_local,
        0 AS is_current,
        0 AS is_gone,
        _extracted_at
    FROM playlist_items
    WHERE item_uri <> ''
    UNION ALL
    SELECT
        account_id,
        '' AS list_id,
        CAST(NULL AS varchar) AS list_name,
        item_uri,
        CAST(NULL AS varchar) AS track_id,
        track_name AS item_name,
        artist_name,
        album_name,
        added_at,
        CAST(NULL AS timestamp) AS added_at_local,
        0 AS is_current,
        0 AS is_gone,
        _extracted_at
    FROM saved_tracks
    WHERE item_uri <> ''
),

entries AS (
    SELECT
        account_id,
        list_id,
        item_uri,
        added_at,
        max(list_name) AS list_name,
        max(track_id) AS track_id,
        max_by(coalesce(item_name, ''), _extracted_at) AS item_name,
        max_by(coalesce(artist_name, ''), _extracted_at) AS artist_name,
        max_by(coalesce(album_name, ''), _extracted_at) AS album_name,
        max(added_at_local) AS added_at_local,
        CAST(sum(is_current) AS bigint) AS entries_now,
        CAST(sum(is_gone) AS bigint) AS entries_gone
    FROM lines
    GROUP BY account_id, list_id, item_uri, added_at
),

matched AS (
    SELECT
        account_id,
        list_id,
        item_uri,
        added_at,
        max(list_name) OVER (PARTITION BY account_id, list_id) AS list_name,
        track_id,
        item_name,
        artist_name,
        album_name,
        max(added_at_local) OVER same_time AS added_at_local,
        entries_now,
        CAST(sum(entries_gone) OVER same_time AS bigint) AS gone_then,
        CASE
            WHEN item_uri <> '' AND max(entries_now) OVER (PARTITION BY account_id, list_id, item_uri) = 0 THEN 1
            ELSE 0
        END AS is_candidate
    FROM entries
    WINDOW same_time AS (PARTITION BY account_id, list_id, added_at)
),

counted AS (
    SELECT
        account_id,
        list_id,
        item_uri,
        list_name,
        track_id,
        item_name,
        artist_name,
        album_name,
        added_at_local,
        entries_now,
        gone_then,
        is_candidate,
        CAST(sum(is_candidate) OVER (PARTITION BY account_id, list_id, added_at) AS bigint) AS candidates
    FROM matched
),

found AS (
    SELECT
        c.account_id,
        CASE WHEN c.entries_now > 0 AND c.item_uri <> '' THEN 'not playable' ELSE 'gone' END AS reason,
        c.list_name,
        nullif(c.item_name, '') AS item_name,
        nullif(c.artist_name, '') AS artist_name,
        nullif(c.album_name, '') AS album_name,
        c.added_at_local AS added_at,
        CASE WHEN c.entries_now > 0 AND c.item_uri <> '' THEN c.entries_now ELSE c.gone_then END AS entries,
        CASE WHEN c.entries_now > 0 AND c.item_uri <> '' THEN 1 ELSE c.candidates END AS candidates,
        nullif(c.item_uri, '') AS item_uri,
        c.list_id
    FROM counted AS c
    LEFT JOIN current_tracks AS t ON t.account_id = c.account_id AND t.track_id = c.track_id
    WHERE (c.gone_then > 0 AND (c.is_candidate = 1 OR (c.item_uri = '' AND c.candidates = 0)))
        OR (c.entries_now > 0 AND NOT coalesce(t.is_playable, true))
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
