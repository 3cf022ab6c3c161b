-- How much of each read has arrived: is_complete once `runs` says that it is finished and all of its lines are there.
-- Grain: run_id, attempt, stream, unit. An `unchanged` unit repeats the read that it is equal to.
-- A read is not complete while one of its objects is in a dead-letter queue or in a partition that no crawl has found.
-- A line counts once, whatever versions of it there are, as a row or as a rejection, unless its object was transformed
-- again and no longer has it. WHERE stream = '…' reads the table of that stream alone, besides `runs`, `replays` and
-- `rejected_records`.
WITH lines AS (
    SELECT '${each:streams}' AS stream, _raw_key, _line, _schema_version FROM ${each:streams} UNION ALL
    SELECT 'recently_played' AS stream, _raw_key, _line, _schema_version FROM plays WHERE source = 'recently_played'
    UNION ALL
    SELECT 'streaming_history' AS stream, _raw_key, _line, _schema_version
    FROM plays
    WHERE source IN ('streaming_history', 'account_data')
    UNION ALL
    SELECT stream, _raw_key, _line, _schema_version FROM rejected_records
),

object_lines AS (
    SELECT l.stream, l._raw_key, count(DISTINCT l._line) AS records
    FROM lines AS l
    LEFT JOIN object_versions AS v ON v.stream = l.stream AND v._raw_key = l._raw_key
    WHERE l._line > 0 AND l._schema_version >= coalesce(v._schema_version, 0)
    GROUP BY l.stream, l._raw_key
),

-- The empty key is for a read without objects, which arrives immediately.
read_objects AS (
    SELECT
        r.account_id,
        r.stream,
        r.unit,
        r.run_id,
        r.attempt,
        r.scheduled_at,
        r.started_at,
        r.finished_at,
        r.read_id,
        r.mode,
        r.read_complete,
        r.read_keys,
        r.read_records,
        k._raw_key
    FROM run_attempts AS r
    CROSS JOIN UNNEST(
        CASE
            WHEN r.read_complete AND cardinality(r.read_keys) > 0 THEN array_distinct(r.read_keys)
            ELSE ARRAY[CAST('' AS varchar)]
        END
    ) AS k (_raw_key)
)

SELECT
    r.account_id,
    r.stream,
    r.unit,
    r.run_id,
    r.attempt,
    r.scheduled_at,
    r.started_at,
    r.finished_at,
    r.read_id,
    r.mode,
    r.read_keys,
    r.read_records,
    CAST(coalesce(sum(o.records), 0) AS bigint) AS arrived_records,
    coalesce(r.read_complete AND coalesce(sum(o.records), 0) = r.read_records, false) AS is_complete
FROM read_objects AS r
LEFT JOIN object_lines AS o ON o.stream = r.stream AND o._raw_key = r._raw_key
GROUP BY
    r.account_id,
    r.stream,
    r.unit,
    r.run_id,
    r.attempt,
    r.scheduled_at,
    r.started_at,
    r.finished_at,
    r.read_id,
    r.mode,
    r.read_complete,
    r.read_keys,
    r.read_records
