-- Reads that are complete and have arrived whole: `runs` says so, and their objects hold as many lines as it says.
-- Grain: account_id, run_id, attempt, stream, unit; an `unchanged` unit repeats the read that it equals.
-- recency is 1 for the newest row of a unit, by time of the run.
-- A read whose objects wait in a dead-letter queue, or whose partition no crawl has seen yet, is not among them.
WITH finished AS (
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
        read_records
    FROM run_attempts
    WHERE read_complete
),

object_lines AS (
    SELECT stream, _raw_key, count(*) AS records
    FROM line_versions
    WHERE _line > 0
    GROUP BY stream, _raw_key
),

arrived AS (
    SELECT k.stream, k.unit, k.run_id, k.attempt, sum(o.records) AS records
    FROM (
        SELECT DISTINCT f.stream, f.unit, f.run_id, f.attempt, u._raw_key
        FROM finished AS f
        CROSS JOIN UNNEST(f.read_keys) AS u (_raw_key)
    ) AS k
    JOIN object_lines AS o ON o.stream = k.stream AND o._raw_key = k._raw_key
    GROUP BY k.stream, k.unit, k.run_id, k.attempt
)

SELECT
    f.account_id,
    f.stream,
    f.unit,
    f.run_id,
    f.attempt,
    f.scheduled_at,
    f.read_id,
    f.mode,
    f.read_keys,
    f.read_records,
    row_number() OVER (
        PARTITION BY f.account_id, f.stream, f.unit
        ORDER BY f.scheduled_at DESC, f.attempt DESC, f.run_id DESC
    ) AS recency
FROM finished AS f
LEFT JOIN arrived AS a
    ON a.stream = f.stream AND a.unit = f.unit AND a.run_id = f.run_id AND a.attempt = f.attempt
WHERE coalesce(a.records, 0) = f.read_records
