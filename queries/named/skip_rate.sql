-- How many of the tracks you started you skipped, by local month, newest month first.
-- Only the extended export has skips and plays under 30 s. A skip is `skipped` or, if that is null, the forward button.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
),

started AS (
    SELECT
        l.account_id,
        CAST(date_trunc('month', l.played_on) AS date) AS month,
        l.is_listen,
        coalesce(l.skipped, l.reason_end = 'fwdbtn') AS is_skip
    FROM listens AS l
    CROSS JOIN parameters AS p
    WHERE l.source = 'streaming_history' AND l.item_type = 'track'
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
)

SELECT
    account_id,
    month,
    count(*) AS plays,
    count_if(is_skip) AS skips,
    round(100e0 * CAST(count_if(is_skip) AS double) / CAST(count(*) AS double), 1) AS percent_skipped,
    count_if(is_skip AND NOT is_listen) AS skips_before_30_seconds
FROM started
WHERE is_skip IS NOT NULL
GROUP BY account_id, month
ORDER BY account_id, month DESC
