-- The pairs of playlists with the most items in common, also as a share of the smaller one.
WITH parameters AS (
    SELECT
        50 AS number -- pairs per account
),

items AS (
    SELECT
        account_id,
        playlist_id,
        playlist_name,
        item_uri,
        count(*) OVER (PARTITION BY account_id, playlist_id) AS items
    FROM (
        SELECT DISTINCT account_id, playlist_id, playlist_name, item_uri
        FROM current_playlist_items
        WHERE item_uri <> ''
    ) AS different_items
),

pairs AS (
    SELECT
        a.account_id,
        a.playlist_id,
        a.playlist_name,
        b.playlist_id AS other_id,
        b.playlist_name AS other_name,
        count(*) AS shared,
        CASE WHEN a.items < b.items THEN a.items ELSE b.items END AS items_of_smaller
    FROM items AS a
    JOIN items AS b
        ON b.account_id = a.account_id AND b.item_uri = a.item_uri AND b.playlist_id > a.playlist_id
    GROUP BY a.account_id, a.playlist_id, a.playlist_name, b.playlist_id, b.playlist_name, a.items, b.items
),

ranked AS (
    SELECT
        account_id,
        row_number() OVER (
            PARTITION BY account_id
            ORDER BY shared DESC, items_of_smaller, playlist_id, other_id
        ) AS place,
        playlist_name,
        other_name,
        shared,
        round(100e0 * CAST(shared AS double) / CAST(items_of_smaller AS double), 1) AS percent_of_smaller,
        playlist_id,
        other_id
    FROM pairs
)

SELECT account_id, place, playlist_name, other_name, shared, percent_of_smaller, playlist_id, other_id
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
