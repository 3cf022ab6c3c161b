-- Your listening in one row: how much, how many artists and tracks, on how many local days, and since when.
-- With a period: the listening within it.
-- hours_at_most counts the whole track for a play from the API. Zeros and nulls if nothing was heard yet.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
)

SELECT
    n.account_id,
    c.display_name,
    count(l.account_id) AS listens,
    round(CAST(sum(coalesce(l.ms_heard_at_most, 0)) AS double) / 3600000e0, 1) AS hours_at_most,
    count(DISTINCT CASE WHEN l.item_type = 'track' THEN nullif(l.artist_name, '') END) AS artists,
    count(DISTINCT CASE WHEN l.item_type = 'track' THEN nullif(l.item_key, '') END) AS tracks,
    count(DISTINCT l.played_on) AS days,
    min(l.heard_at_local) AS first_heard_at,
    max(l.heard_at_local) AS last_heard_at
FROM newest_run AS n
CROSS JOIN parameters AS p
LEFT JOIN current_profile AS c ON c.account_id = n.account_id
LEFT JOIN listens AS l
    ON l.account_id = n.account_id AND l.is_listen
    AND (p.from_date IS NULL OR l.played_on >= p.from_date)
    AND (p.to_date IS NULL OR l.played_on <= p.to_date)
GROUP BY n.account_id, c.display_name
ORDER BY n.account_id
