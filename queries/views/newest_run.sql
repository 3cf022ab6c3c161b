-- The newest run of each account, and as_of: the moment from which the named queries count back.
-- Grain: account_id.
-- Runs of the extractor count, imports do not: an export ends weeks before the day of its import. as_of is when the
-- newest run took place or, where an import brought plays since or is all that there is, the newest play.
-- run_id and scheduled_at are null for an account that has imports alone.
WITH runs_known AS (
    SELECT
        account_id,
        max(CASE WHEN "trigger" <> 'import' THEN run_id END) AS run_id,
        max(CASE WHEN "trigger" <> 'import' THEN scheduled_at END) AS scheduled_at,
        max(scheduled_at) AS newest_at
    FROM run_attempts
    WHERE account_id IS NOT NULL
    GROUP BY account_id
),

newest_plays AS (
    SELECT p.account_id, max(p.played_at) AS played_at
    FROM plays AS p
    JOIN runs_known AS r ON r.account_id = p.account_id
    WHERE p.played_at <= r.newest_at
    GROUP BY p.account_id
),

moments AS (
    SELECT
        r.account_id,
        r.run_id,
        r.scheduled_at,
        CASE
            WHEN p.played_at > r.scheduled_at THEN p.played_at
            ELSE coalesce(r.scheduled_at, p.played_at, r.newest_at)
        END AS as_of
    FROM runs_known AS r
    LEFT JOIN newest_plays AS p ON p.account_id = r.account_id
)

SELECT
    account_id,
    run_id,
    scheduled_at,
    CAST(scheduled_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS scheduled_at_local,
    as_of,
    CAST(as_of AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS as_of_local
FROM moments
