-- How much you listened on each local day of the last four weeks.
-- minutes_at_most counts the whole track for a play from the API.
SELECT
    l.account_id,
    l.played_on,
    count(*) AS listens,
    count(DISTINCT CASE WHEN l.item_type = 'track' THEN nullif(l.item_key, '') END) AS different_tracks,
    round(CAST(sum(coalesce(l.ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most
FROM listens AS l
JOIN newest_run AS n ON n.account_id = l.account_id
WHERE l.is_listen AND l.played_on >= date_add('day', -28, CAST(n.as_of_local AS date))
GROUP BY l.account_id, l.played_on
ORDER BY l.account_id, l.played_on
