-- Pairs of playlists that share the most entries, with the share of the smaller one, fifty an account.
WITH items AS (
    SELECT DISTINCT account_id, playlist_id, item_uri
    FROM current_playlist_items
    WHERE item_uri <> ''
),

sizes AS (
    SELECT account_id, playlist_id, count(*) AS items
    FROM items
    GROUP BY account_id, playlist_id
),

pairs AS (
    SELECT a.account_id, a.playlist_id AS playlist_id, b.playlist_id AS other_id, count(*) AS shared
    FROM items AS a
    JOIN items AS b
        ON b.account_id = a.account_id AND b.item_uri = a.item_uri AND b.playlist_id > a.playlist_id
    GROUP BY a.account_id, a.playlist_id, b.playlist_id
),

compared AS (
    SELECT
        p.account_id,
        p.playlist_id,
        p.other_id,
        p.shared,
        round(
            100e0 * CAST(p.shared AS double) / CAST(CASE WHEN s.items < t.items THEN s.items ELSE t.items END AS double),
            1
        ) AS percent_of_smaller
    FROM pairs AS p
    JOIN sizes AS s ON s.account_id = p.account_id AND s.playlist_id = p.playlist_id
    JOIN sizes AS t ON t.account_id = p.account_id AND t.playlist_id = p.other_id
),

ranked AS (
    SELECT
        account_id,
        row_number() OVER (
            PARTITION BY account_id
            ORDER BY shared DESC, percent_of_smaller DESC, playlist_id, other_id
        ) AS place,
        playlist_id,
        other_id,
        shared,
        percent_of_smaller
    FROM compared
)

SELECT
    r.account_id,
    r.place,
    x.name AS playlist_name,
    y.name AS other_name,
    r.shared,
    r.percent_of_smaller,
    r.playlist_id,
    r.other_id
FROM ranked AS r
JOIN current_playlists AS x ON x.account_id = r.account_id AND x.playlist_id = r.playlist_id
JOIN current_playlists AS y ON y.account_id = r.account_id AND y.playlist_id = r.other_id
WHERE r.place <= 50
ORDER BY r.account_id, r.place
