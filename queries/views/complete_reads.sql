-- Reads that are complete and have arrived in full, with their objects.
-- Grain: account_id, run_id, attempt, stream, unit. recency is 1 for the newest read of a unit, by started_at.
-- scheduled_at would be misleading, since an event may be delivered days late. An `unchanged` run makes the read that
-- it repeats the newest.
SELECT
    account_id,
    stream,
    unit,
    run_id,
    attempt,
    scheduled_at,
    started_at,
    CAST(started_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS started_at_local,
    finished_at,
    read_id,
    mode,
    read_keys,
    read_records,
    row_number() OVER (
        PARTITION BY account_id, stream, unit
        ORDER BY started_at DESC, attempt DESC, run_id DESC
    ) AS recency
FROM read_arrivals
WHERE is_complete
