-- When you listen: listens of the last twelve weeks, or of any period, by local weekday (1 is Monday) and hour.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, without a period the last twelve weeks
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
)

SELECT
    l.account_id,
    l.local_weekday AS weekday,
    l.local_hour AS hour_of_day,
    count(*) AS listens,
    count(DISTINCT l.played_on) AS days
FROM listens AS l
JOIN newest_run AS n ON n.account_id = l.account_id
CROSS JOIN parameters AS p
WHERE l.is_listen
    AND (p.from_date IS NULL OR l.played_on >= p.from_date)
    AND (p.to_date IS NULL OR l.played_on <= p.to_date)
    AND (coalesce(p.from_date, p.to_date) IS NOT NULL OR l.heard_at >= date_add('day', -84, n.as_of))
GROUP BY l.account_id, l.local_weekday, l.local_hour
ORDER BY l.account_id, weekday, hour_of_day
