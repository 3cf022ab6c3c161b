-- Your listening in one row: how much, how many artists and tracks, on how many local days, and since when.
-- hours_at_most counts the whole track for a play from the API. Zeros and nulls if nothing was heard yet.
SELECT
    n.account_id,
    p.display_name,
    count(l.account_id) AS listens,
    round(CAST(sum(coalesce(l.ms_heard_at_most, 0)) AS double) / 3600000e0, 1) AS hours_at_most,
    count(DISTINCT CASE WHEN l.item_type = 'track' THEN nullif(l.artist_name, '') END) AS artists,
    count(DISTINCT CASE WHEN l.item_type = 'track' THEN nullif(l.item_key, '') END) AS tracks,
    count(DISTINCT l.played_on) AS days,
    min(l.heard_at_local) AS first_heard_at,
    max(l.heard_at_local) AS last_heard_at
FROM newest_run AS n
LEFT JOIN current_profile AS p ON p.account_id = n.account_id
LEFT JOIN listens AS l ON l.account_id = n.account_id AND l.is_listen
GROUP BY n.account_id, p.display_name
ORDER BY n.account_id
