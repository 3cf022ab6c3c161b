-- The entries of each playlist in `current_playlists`, from the newest complete read of that playlist.
-- Grain: account_id, playlist_id, position.
-- Generated from queries/templates/current_playlist_items.sql by `make views`: edit the template.
SELECT
    account_id,
    playlist_id,
    playlist_name,
    snapshot_id,
    position,
    item_uri,
    item_type,
    is_local,
    is_available,
    track_id,
    episode_id,
    added_at,
    CAST(added_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS added_at_local,
    added_by_id,
    item_name,
    artist_name,
    album_name,
    duration_ms,
    show_name,
    _read_id,
    _extracted_at
FROM (
    SELECT
        i.account_id,
        i.playlist_id,
        p.name AS playlist_name,
        i.snapshot_id,
        i.position,
        i.item_uri,
        i.item_type,
        i.is_local,
        i.is_available,
        i.track_id,
        i.episode_id,
        i.added_at,
        i.added_by_id,
        i.item_name,
        i.artist_name,
        i.album_name,
        i.duration_ms,
        i.show_name,
        i._read_id,
        i._extracted_at,
        row_number() OVER (
            PARTITION BY i.account_id, i.playlist_id, i.position
            ORDER BY i._extracted_at DESC, i._raw_key DESC, i._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN playlist_items AS i
        ON i._raw_key = k._raw_key AND i.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = i._raw_key AND v._line = i._line AND v._schema_version = i._schema_version
    JOIN current_playlists AS p ON p.account_id = i.account_id AND p.playlist_id = i.playlist_id
    WHERE r.stream = 'playlist_items' AND r.recency = 1 AND v.stream = 'playlist_items'
) AS ranked
WHERE age = 1
