-- The newest run of each account: the moment from which the named queries count back.
-- Grain: account_id.
SELECT
    account_id,
    run_id,
    scheduled_at,
    CAST(scheduled_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS scheduled_at_local
FROM (
    SELECT
        account_id,
        run_id,
        scheduled_at,
        row_number() OVER (PARTITION BY account_id ORDER BY scheduled_at DESC, run_id DESC, stream, unit) AS age
    FROM run_history
    WHERE account_id IS NOT NULL
) AS ranked
WHERE age = 1
