-- Records that could not become a row, each once, until a replay with a newer version can read the line.
-- Grain: _raw_key, _line, reason (_line 0 is the object itself).
SELECT
    account_id,
    ${each:rejected_records},
    _run_id,
    _read_id,
    _extracted_at,
    _raw_key,
    _line
FROM (
    SELECT
        r.account_id,
        r.${each:rejected_records},
        r._run_id,
        r._read_id,
        r._extracted_at,
        r._raw_key,
        r._line,
        rank() OVER (PARTITION BY r._raw_key, r._line ORDER BY r._schema_version DESC) AS version_age,
        row_number() OVER (
            PARTITION BY r._raw_key, r._line, r.reason
            ORDER BY r._schema_version DESC, r.detail, r.line
        ) AS repetition
    FROM rejected_records AS r
    LEFT JOIN object_versions AS v ON v._raw_key = r._raw_key
    WHERE r._schema_version >= coalesce(v._schema_version, 0)
) AS numbered
WHERE repetition = 1 AND version_age = 1
