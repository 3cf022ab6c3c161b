-- When you listen: listens of the last twelve weeks by local weekday (1 is Monday) and hour.
SELECT
    l.account_id,
    l.local_weekday AS weekday,
    l.local_hour AS hour_of_day,
    count(*) AS listens,
    count(DISTINCT l.played_on) AS days
FROM listens AS l
JOIN newest_run AS n ON n.account_id = l.account_id
WHERE l.is_listen AND l.heard_at >= date_add('day', -84, n.as_of)
GROUP BY l.account_id, l.local_weekday, l.local_hour
ORDER BY l.account_id, weekday, hour_of_day
