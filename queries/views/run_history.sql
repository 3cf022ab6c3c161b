-- Every run with its attempts merged: the last row of a unit counts, and its requests, records and objects are summed.
-- Grain: account_id, run_id, stream, unit. An attempt that never learned its account belongs to its run's account.
-- A row for a whole stream (unit '') disappears once a later attempt has learned the stream's units.
WITH attempts AS (
    SELECT
        coalesce(account_id, max(account_id) OVER (PARTITION BY run_id)) AS account_id,
        run_id,
        attempt,
        stream,
        unit,
        "trigger",
        scheduled_at,
        started_at,
        finished_at,
        run_reason,
        read_id,
        mode,
        status,
        reason,
        requests,
        records,
        objects,
        locked_until,
        read_complete,
        read_keys,
        read_records
    FROM run_attempts
),

ranked AS (
    SELECT
        account_id,
        run_id,
        attempt,
        stream,
        unit,
        "trigger",
        scheduled_at,
        run_reason,
        read_id,
        mode,
        status,
        reason,
        locked_until,
        read_complete,
        read_keys,
        read_records,
        row_number() OVER (PARTITION BY account_id, run_id, stream, unit ORDER BY attempt DESC) AS age,
        max(CASE WHEN unit <> '' THEN attempt END) OVER (PARTITION BY account_id, run_id, stream) AS units_learned,
        count(*) OVER (PARTITION BY account_id, run_id, stream, unit) AS attempts,
        min(started_at) OVER (PARTITION BY account_id, run_id, stream, unit) AS started_at,
        max(finished_at) OVER (PARTITION BY account_id, run_id, stream, unit) AS finished_at,
        sum(requests) OVER (PARTITION BY account_id, run_id, stream, unit) AS requests,
        sum(records) OVER (PARTITION BY account_id, run_id, stream, unit) AS records,
        sum(objects) OVER (PARTITION BY account_id, run_id, stream, unit) AS objects
    FROM attempts
),

merged AS (
    SELECT
        account_id,
        run_id,
        attempt,
        attempts,
        stream,
        unit,
        "trigger",
        scheduled_at,
        started_at,
        finished_at,
        run_reason,
        read_id,
        mode,
        status,
        reason,
        requests,
        records,
        objects,
        locked_until,
        read_complete,
        read_keys,
        read_records,
        count(*) OVER (PARTITION BY account_id, run_id) AS units,
        sum(CASE WHEN status = 'skipped' THEN 1 ELSE 0 END) OVER (PARTITION BY account_id, run_id) AS skipped_units,
        sum(CASE WHEN status = 'failed' THEN 1 ELSE 0 END) OVER (PARTITION BY account_id, run_id) AS failed_units,
        sum(CASE WHEN status = 'partial' THEN 1 ELSE 0 END) OVER (PARTITION BY account_id, run_id) AS partial_units
    FROM ranked
    WHERE age = 1 AND (unit <> '' OR units_learned IS NULL OR units_learned <= attempt)
)

SELECT
    account_id,
    run_id,
    stream,
    unit,
    "trigger",
    scheduled_at,
    CAST(scheduled_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS scheduled_at_local,
    started_at,
    CAST(started_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS started_at_local,
    finished_at,
    attempts,
    CAST(
        CASE
            WHEN skipped_units = units THEN 'skipped'
            WHEN failed_units = units THEN 'failed'
            WHEN failed_units > 0 OR partial_units > 0 THEN 'partial'
            ELSE 'complete'
        END AS varchar
    ) AS run_status,
    CASE
        WHEN skipped_units = units OR failed_units > 0 OR partial_units > 0 THEN run_reason
    END AS run_reason,
    read_id,
    mode,
    status,
    reason,
    CAST(requests AS bigint) AS requests,
    CAST(records AS bigint) AS records,
    CAST(objects AS bigint) AS objects,
    locked_until,
    read_complete,
    read_keys,
    read_records
FROM merged
