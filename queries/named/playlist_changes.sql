-- What was added to and removed from each playlist between its last two complete reads.
WITH reads AS (
    SELECT account_id, playlist_id, read_id, recency, read_keys
    FROM (
        SELECT
            account_id,
            playlist_id,
            read_id,
            read_keys,
            row_number() OVER (PARTITION BY account_id, playlist_id ORDER BY newest) AS recency
        FROM (
            SELECT
                account_id,
                unit AS playlist_id,
                read_id,
                min(recency) AS newest,
                min_by(read_keys, recency) AS read_keys
            FROM complete_reads
            WHERE stream = 'playlist_items'
            GROUP BY account_id, unit, read_id
        ) AS different_reads
    ) AS numbered
    WHERE recency <= 2
),

-- Only playlists with at least two reads, which a comparison needs.
compared AS (
    SELECT account_id, playlist_id
    FROM reads
    GROUP BY account_id, playlist_id
    HAVING count(*) = 2
),

lines AS (
    SELECT
        r.account_id,
        r.playlist_id,
        r.recency,
        i.position,
        i.item_uri,
        coalesce(i.item_name, '') AS item_name,
        coalesce(i.artist_name, i.show_name, '') AS artist_name,
        rank() OVER (PARTITION BY i._raw_key, i._line ORDER BY i._schema_version DESC) AS version_age
    FROM reads AS r
    JOIN compared AS c ON c.account_id = r.account_id AND c.playlist_id = r.playlist_id
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN playlist_items AS i ON i._raw_key = k._raw_key AND i.account_id = r.account_id
    LEFT JOIN object_versions AS v ON v.stream = 'playlist_items' AND v._raw_key = i._raw_key
    WHERE i._schema_version >= coalesce(v._schema_version, 0)
),

entries AS (
    SELECT DISTINCT account_id, playlist_id, recency, position, item_uri, item_name, artist_name
    FROM lines
    WHERE version_age = 1
),

counted AS (
    SELECT
        account_id,
        playlist_id,
        item_uri,
        min(item_name) AS item_name,
        min(artist_name) AS artist_name,
        sum(CASE WHEN recency = 1 THEN 1 ELSE 0 END) AS entries_now,
        sum(CASE WHEN recency = 2 THEN 1 ELSE 0 END) AS entries_before
    FROM entries
    GROUP BY account_id, playlist_id, item_uri
)

SELECT
    c.account_id,
    p.name AS playlist_name,
    c.playlist_id,
    CASE WHEN c.entries_now > c.entries_before THEN 'came' ELSE 'left' END AS change,
    c.item_name,
    c.artist_name,
    c.item_uri,
    CAST(abs(c.entries_now - c.entries_before) AS bigint) AS entries
FROM counted AS c
JOIN current_playlists AS p ON p.account_id = c.account_id AND p.playlist_id = c.playlist_id
WHERE c.entries_now <> c.entries_before
ORDER BY c.account_id, p.name, c.playlist_id, change, c.item_name, c.item_uri
