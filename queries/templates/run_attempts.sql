-- `runs` without duplicates: what each invocation of the extractor did, one row per stream and unit.
-- Grain: run_id, attempt, stream, unit.
SELECT
    account_id,
    ${each:runs before trigger},
    "trigger",
    ${list:runs after trigger}
FROM (
    SELECT
        r.account_id,
        r.${each:runs before trigger},
        r."trigger",
        r.${each:runs after trigger},
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
