-- `runs` without duplicates: what each invocation of the extractor did, one row per stream and unit.
-- Grain: run_id, attempt, stream, unit.
-- Generated from queries/templates/run_attempts.sql by `make views`: edit the template.
SELECT
    account_id,
    run_id,
    attempt,
    stream,
    unit,
    "trigger",
    scheduled_at,
    started_at,
    finished_at,
    run_status,
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
FROM (
    SELECT
        r.account_id,
        r.run_id,
        r.attempt,
        r.stream,
        r.unit,
        r."trigger",
        r.scheduled_at,
        r.started_at,
        r.finished_at,
        r.run_status,
        r.run_reason,
        r.read_id,
        r.mode,
        r.status,
        r.reason,
        r.requests,
        r.records,
        r.objects,
        r.locked_until,
        r.read_complete,
        r.read_keys,
        r.read_records,
        row_number() OVER (
            PARTITION BY r.run_id, r.attempt, r.stream, r.unit
            ORDER BY r._raw_key, r._line
        ) AS repetition
    FROM runs AS r
    JOIN line_versions AS v
        ON v._raw_key = r._raw_key AND v._line = r._line AND v._schema_version = r._schema_version
    WHERE v.stream = 'runs'
) AS numbered
WHERE repetition = 1
