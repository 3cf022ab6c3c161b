-- How much you listened on each local day of the last four weeks.
SELECT
    l.account_id,
    l.played_on,
    count(*) AS listens,
    count(DISTINCT l.item_uri) AS different_tracks,
    round(CAST(sum(coalesce(l.ms_played, l.duration_ms, 0)) AS double) / 60000e0, 1) AS minutes
FROM listens AS l
JOIN newest_run AS n ON n.account_id = l.account_id
WHERE l.played_at >= date_add('day', -28, n.scheduled_at)
GROUP BY l.account_id, l.played_on
ORDER BY l.account_id, l.played_on
