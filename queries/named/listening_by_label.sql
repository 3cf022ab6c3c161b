-- How much you listened to each of your own labels, most first, and what has none together, without a label.
-- minutes_at_most counts the whole track for a play from the API.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
)

SELECT
    l.account_id,
    l.label,
    count(*) AS listens,
    round(CAST(sum(coalesce(l.ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
    round(100e0 * CAST(count(*) AS double) / CAST(sum(count(*)) OVER (PARTITION BY l.account_id) AS double), 1) AS percent,
    count(DISTINCT l.played_on) AS days,
    min(l.played_on) AS first_day,
    max(l.played_on) AS last_day
FROM listens AS l
CROSS JOIN parameters AS p
WHERE l.is_listen
    AND (p.from_date IS NULL OR l.played_on >= p.from_date)
    AND (p.to_date IS NULL OR l.played_on <= p.to_date)
GROUP BY l.account_id, l.label
ORDER BY l.account_id, listens DESC, l.label
