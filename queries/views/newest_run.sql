-- The newest run of each account: the moment from which the named queries count back.
-- Grain: account_id.
SELECT
    account_id,
    max(run_id) AS run_id,
    scheduled_at,
    CAST(scheduled_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS scheduled_at_local
FROM (
    SELECT
        account_id,
        run_id,
        scheduled_at,
        max(scheduled_at) OVER (PARTITION BY account_id) AS newest_at
    FROM run_attempts
    WHERE account_id IS NOT NULL
) AS known
WHERE scheduled_at = newest_at
GROUP BY account_id, scheduled_at
