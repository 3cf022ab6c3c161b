-- How much you listened in each local week, from Monday to Sunday, newest first, without weeks that have no listen.
-- minutes_at_most counts the whole track for a play from the API.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
)

SELECT
    l.account_id,
    CAST(date_trunc('week', l.played_on) AS date) AS week,
    count(*) AS listens,
    round(CAST(sum(coalesce(l.ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
    count(DISTINCT l.played_on) AS days
FROM listens AS l
CROSS JOIN parameters AS p
WHERE l.is_listen
    AND (p.from_date IS NULL OR l.played_on >= p.from_date)
    AND (p.to_date IS NULL OR l.played_on <= p.to_date)
GROUP BY l.account_id, CAST(date_trunc('week', l.played_on) AS date)
ORDER BY l.account_id, week DESC
