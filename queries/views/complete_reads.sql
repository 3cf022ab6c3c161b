-- Reads that are complete and have arrived whole, with their objects.
-- Grain: account_id, run_id, attempt, stream, unit; recency is 1 for the newest of a unit, by time of the run.
SELECT
    account_id,
    stream,
    unit,
    run_id,
    attempt,
    scheduled_at,
    read_id,
    mode,
    read_keys,
    read_records,
    row_number() OVER (
        PARTITION BY account_id, stream, unit
        ORDER BY scheduled_at DESC, attempt DESC, run_id DESC
    ) AS recency
FROM read_arrivals
WHERE is_complete
