-- The items of each playlist in `current_playlists`, from the newest complete read of that playlist.
-- Grain: account_id, playlist_id, position.
WITH reads AS (
    SELECT account_id, read_keys
    FROM complete_reads
    WHERE stream = 'playlist_items' AND recency = 1
),

lines AS (
    SELECT
        i.account_id,
        i.${each:playlist_items},
        i._read_id,
        i._extracted_at,
        i._raw_key,
        i._line,
        rank() OVER (PARTITION BY i._raw_key, i._line ORDER BY i._schema_version DESC) AS version_age
    FROM reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN playlist_items AS i ON i._raw_key = k._raw_key AND i.account_id = r.account_id
    LEFT JOIN object_versions AS v ON v.stream = 'playlist_items' AND v._raw_key = i._raw_key
    WHERE i._schema_version >= coalesce(v._schema_version, 0)
)

SELECT
    account_id,
    playlist_id,
    playlist_name,
    ${each:playlist_items after playlist_id and local times},
    _read_id,
    _extracted_at
FROM (
    SELECT
        i.account_id,
        i.playlist_id,
        p.name AS playlist_name,
        i.${each:playlist_items after playlist_id},
        i._read_id,
        i._extracted_at,
        row_number() OVER (
            PARTITION BY i.account_id, i.playlist_id, i.position
            ORDER BY i._extracted_at DESC, i._raw_key DESC, i._line DESC
        ) AS age
    FROM lines AS i
    JOIN current_playlists AS p ON p.account_id = i.account_id AND p.playlist_id = i.playlist_id
    WHERE i.version_age = 1
) AS ranked
WHERE age = 1
