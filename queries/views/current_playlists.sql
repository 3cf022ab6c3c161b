-- The playlists in your library, from the newest complete read; deleted ones are gone.
-- Grain: account_id, playlist_id.
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
        p.account_id,
        p.playlist_id,
        p.uri,
        p.name,
        p.description,
        p.owner_id,
        p.owner_name,
        p.is_public,
        p.collaborative,
        p.snapshot_id,
        p.items_total,
        p.followers,
        p.primary_color,
        p.image_url,
        p.spotify_url,
        p._read_id,
        p._extracted_at,
        row_number() OVER (
            PARTITION BY p.account_id, p.playlist_id
            ORDER BY p._extracted_at DESC, p._raw_key DESC, p._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN playlists AS p
        ON p._raw_key = k._raw_key AND p.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = p._raw_key AND v._line = p._line AND v._schema_version = p._schema_version
    WHERE r.stream = 'playlists' AND r.recency = 1 AND v.stream = 'playlists'
) AS ranked
WHERE age = 1
