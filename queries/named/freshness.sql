-- How fresh each stream is: its last good run, how many hours ago that was, and how the last run went.
SELECT
    account_id,
    stream,
    last_good_at,
    round(age_hours, 1) AS age_hours,
    last_run_id,
    last_status,
    last_reason,
    locked_until
FROM freshness
ORDER BY account_id, stream
