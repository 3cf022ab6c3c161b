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
        rank() OVER (PARTITION BY r.stream, r._raw_key, r._line ORDER BY r._schema_version DESC) AS version_age,
        row_number() OVER (
            PARTITION BY r.run_id, r.attempt, r.stream, r.unit
            ORDER BY r._schema_version DESC, r._raw_key, r._line
        ) AS repetition
    FROM runs AS r
    LEFT JOIN object_versions AS v ON v.stream = 'runs' AND v._raw_key = r._raw_key
    WHERE r._schema_version >= coalesce(v._schema_version, 0)
) AS numbered
WHERE repetition = 1 AND version_age = 1
