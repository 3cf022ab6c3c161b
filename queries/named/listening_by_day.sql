-- How much you listened on each local day of the last four weeks, or of any period.
-- minutes_at_most counts the whole track for a play from the API.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, without a period the last four weeks
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
)

SELECT
    l.account_id,
    l.played_on,
    count(*) AS listens,
    count(DISTINCT CASE WHEN l.item_type = 'track' THEN nullif(l.item_key, '') END) AS different_tracks,
    round(CAST(sum(coalesce(l.ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most
FROM listens AS l
JOIN newest_run AS n ON n.account_id = l.account_id
CROSS JOIN parameters AS p
WHERE l.is_listen
    AND (p.from_date IS NULL OR l.played_on >= p.from_date)
    AND (p.to_date IS NULL OR l.played_on <= p.to_date)
    AND (
        coalesce(p.from_date, p.to_date) IS NOT NULL
        OR l.played_on >= date_add('day', -28, CAST(n.as_of_local AS date))
    )
GROUP BY l.account_id, l.played_on
ORDER BY l.account_id, l.played_on
