-- How many of the tracks you started you skipped, by local month, newest month first.
-- Only the extended export has skips and plays under 30 s. A skip is `skipped` or, if that is null, the forward button.
WITH started AS (
    SELECT
        account_id,
        CAST(date_trunc('month', played_on) AS date) AS month,
        is_listen,
        coalesce(skipped, reason_end = 'fwdbtn') AS is_skip
    FROM listens
    WHERE source = 'streaming_history' AND item_type = 'track'
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
