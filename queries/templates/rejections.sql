-- Records that could not become a row, each once, until a replay with a newer version can read the line.
-- Grain: _raw_key, _line, reason (_line 0 is the object itself).
WITH newest AS (
    SELECT _raw_key, _line, max(_schema_version) AS _schema_version
    FROM line_versions
    GROUP BY _raw_key, _line
)

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
        row_number() OVER (PARTITION BY r._raw_key, r._line, r.reason ORDER BY r.detail, r.line) AS repetition
    FROM rejected_records AS r
    JOIN newest AS n
        ON n._raw_key = r._raw_key AND n._line = r._line AND n._schema_version = r._schema_version
) AS numbered
WHERE repetition = 1
