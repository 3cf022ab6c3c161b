-- The playlists in the user's library, from the newest complete read.
-- Grain: account_id, playlist_id.
-- Generated from queries/templates/snapshot.sql by `make views`: edit the template.
SELECT
    account_id,
    playlist_id,
    uri,
    name,
    description,
    owner_id,
    owner_name,
    is_public,
    collaborative,
    snapshot_id,
    items_total,
    followers,
    primary_color,
    image_url,
    spotify_url,
    _read_id,
    _extracted_at
FROM (
    SELECT
        t.account_id,
        t.playlist_id,
        t.uri,
        t.name,
        t.description,
        t.owner_id,
        t.owner_name,
        t.is_public,
        t.collaborative,
        t.snapshot_id,
        t.items_total,
        t.followers,
        t.primary_color,
        t.image_url,
        t.spotify_url,
        t._read_id,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.playlist_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN playlists AS t
        ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE r.stream = 'playlists' AND r.recency = 1 AND v.stream = 'playlists'
) AS ranked
WHERE age = 1
