-- Everything that was ever read in your playlists: when it was first and last there, and whether it still is.
-- With on_date: each playlist as it was on that day, which is its newest read until then. gone_at is the first read
-- without the item. What came and went between two reads was never seen. added_at, as Spotify states it, is in UTC.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS on_date, -- local day, null: any time
        CAST(NULL AS varchar) AS playlist -- id or name of one playlist, in any case, or null for all
),

reads AS (
    SELECT
        account_id,
        unit AS playlist_id,
        read_id,
        min(started_at) AS read_utc,
        min_by(started_at_local, started_at) AS first_read_at,
        max_by(started_at_local, started_at) AS last_read_at,
        min_by(read_keys, recency) AS read_keys
    FROM complete_reads
    WHERE stream = 'playlist_items'
    GROUP BY account_id, unit, read_id
),

ordered AS (
    SELECT
        r.account_id,
        r.playlist_id,
        r.first_read_at,
        r.last_read_at,
        r.read_keys,
        lead(r.first_read_at) OVER playlist_reads AS next_read_at,
        max(CASE WHEN p.on_date IS NULL OR CAST(r.first_read_at AS date) <= p.on_date THEN r.read_utc END)
            OVER (PARTITION BY r.account_id, r.playlist_id) = r.read_utc AS is_wanted
    FROM reads AS r
    CROSS JOIN parameters AS p
    WINDOW playlist_reads AS (PARTITION BY r.account_id, r.playlist_id ORDER BY r.read_utc)
),

lines AS (
    SELECT
        o.account_id,
        o.playlist_id,
        o.first_read_at,
        o.last_read_at,
        o.next_read_at,
        o.is_wanted,
        i.position,
        i.item_uri,
        i.item_name,
        coalesce(i.artist_name, i.show_name) AS artist_name,
        i.added_at,
        rank() OVER (PARTITION BY i._raw_key, i._line ORDER BY i._schema_version DESC) AS version_age
    FROM ordered AS o
    CROSS JOIN UNNEST(o.read_keys) AS k (_raw_key)
    JOIN playlist_items AS i ON i._raw_key = k._raw_key AND i.account_id = o.account_id
    LEFT JOIN object_versions AS v ON v.stream = 'playlist_items' AND v._raw_key = i._raw_key
    WHERE i._schema_version >= coalesce(v._schema_version, 0)
),

items AS (
    SELECT
        account_id,
        playlist_id,
        item_uri,
        max(item_name) AS item_name,
        max(artist_name) AS artist_name,
        max(added_at) AS added_at,
        min(first_read_at) AS first_read_at,
        max(last_read_at) AS last_read_at,
        -- Null if no read follows: the item is still there.
        max_by(coalesce(next_read_at, TIMESTAMP '9999-01-01 00:00:00'), first_read_at) AS gone_at,
        min(CASE WHEN is_wanted THEN position END) AS position
    FROM lines
    WHERE version_age = 1 AND item_uri <> ''
    GROUP BY account_id, playlist_id, item_uri
),

-- A playlist that is no longer in your library keeps its last name.
names AS (
    SELECT account_id, playlist_id, max_by(coalesce(name, ''), _extracted_at) AS playlist_name
    FROM playlists
    GROUP BY account_id, playlist_id
)

SELECT
    i.account_id,
    n.playlist_name,
    i.item_name,
    i.artist_name,
    i.first_read_at,
    i.last_read_at,
    CASE WHEN i.gone_at < TIMESTAMP '9999-01-01 00:00:00' THEN i.gone_at END AS gone_at,
    i.added_at,
    i.position,
    i.item_uri,
    i.playlist_id
FROM items AS i
CROSS JOIN parameters AS p
LEFT JOIN names AS n ON n.account_id = i.account_id AND n.playlist_id = i.playlist_id
WHERE (p.on_date IS NULL OR i.position IS NOT NULL)
    AND (p.playlist IS NULL OR p.playlist = i.playlist_id OR lower(p.playlist) = lower(n.playlist_name))
ORDER BY i.account_id, n.playlist_name, i.playlist_id, i.position NULLS LAST, i.gone_at DESC, i.item_uri
