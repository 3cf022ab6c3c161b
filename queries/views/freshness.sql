-- How fresh each stream is: its last good run (all `complete` or `unchanged`), its age, and how the last run went.
-- Grain: account_id, stream. Only age_hours depends on the clock. Your own labels do not age, and are left out.
-- A run that never learned its account (refused, or failed before login) counts for the account of the run before it,
-- otherwise for that of the run after it.
WITH units AS (
    SELECT
        coalesce(
            account_id,
            last_value(account_id) IGNORE NULLS OVER (
                ORDER BY scheduled_at, run_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ),
            first_value(account_id) IGNORE NULLS OVER (
                ORDER BY scheduled_at, run_id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
            )
        ) AS account_id,
        run_id,
        stream,
        unit,
        scheduled_at,
        finished_at,
        status,
        reason,
        locked_until
    FROM run_history
),

stream_runs AS (
    SELECT
        account_id,
        stream,
        run_id,
        min(scheduled_at) AS scheduled_at,
        max(finished_at) AS finished_at,
        max(locked_until) AS locked_until,
        CASE
            WHEN sum(CASE WHEN status = 'skipped' THEN 0 ELSE 1 END) = 0 THEN 'skipped'
            WHEN sum(CASE WHEN status = 'failed' THEN 0 ELSE 1 END) = 0 THEN 'failed'
            WHEN sum(CASE WHEN status IN ('failed', 'partial') THEN 1 ELSE 0 END) > 0 THEN 'partial'
            WHEN sum(CASE WHEN status = 'complete' THEN 1 ELSE 0 END) > 0 THEN 'complete'
            ELSE 'unchanged'
        END AS status,
        min(CASE WHEN status = 'failed' THEN reason END) AS failed_reason,
        min(CASE WHEN status = 'partial' THEN reason END) AS partial_reason,
        min(CASE WHEN status = 'skipped' THEN reason END) AS skipped_reason
    FROM units
    WHERE stream <> 'labels'
    GROUP BY account_id, stream, run_id
),

ranked AS (
    SELECT
        account_id,
        stream,
        run_id,
        finished_at,
        locked_until,
        status,
        CASE
            WHEN status IN ('failed', 'partial') THEN coalesce(failed_reason, partial_reason)
            WHEN status = 'skipped' THEN skipped_reason
        END AS reason,
        status IN ('complete', 'unchanged') AS good,
        row_number() OVER (PARTITION BY account_id, stream ORDER BY scheduled_at DESC, run_id DESC) AS age,
        row_number() OVER (
            PARTITION BY account_id, stream, status IN ('complete', 'unchanged')
            ORDER BY scheduled_at DESC, run_id DESC
        ) AS age_of_kind
    FROM stream_runs
)

SELECT
    account_id,
    stream,
    max(CASE WHEN good AND age_of_kind = 1 THEN run_id END) AS last_good_run_id,
    max(CASE WHEN good AND age_of_kind = 1 THEN finished_at END) AS last_good_at,
    CAST(
        date_diff(
            'millisecond',
            max(CASE WHEN good AND age_of_kind = 1 THEN finished_at END),
            CAST(current_timestamp AT TIME ZONE 'UTC' AS timestamp)
        ) AS double
    ) / 3600000e0 AS age_hours,
    max(CASE WHEN age = 1 THEN run_id END) AS last_run_id,
    max(CASE WHEN age = 1 THEN finished_at END) AS last_run_at,
    CAST(max(CASE WHEN age = 1 THEN status END) AS varchar) AS last_status,
    max(CASE WHEN age = 1 THEN reason END) AS last_reason,
    max(CASE WHEN age = 1 THEN locked_until END) AS locked_until
FROM ranked
GROUP BY account_id, stream
