-- ${subject}, from the newest complete read.
-- Grain: ${grain}.
WITH reads AS (
    SELECT account_id, read_keys
    FROM complete_reads
    WHERE stream = '${stream}' AND recency = 1
),

lines AS (
    SELECT
        t.account_id,
        t.${each:columns},
        t._read_id,
        t._extracted_at,
        t._raw_key,
        t._line,
        rank() OVER (PARTITION BY t._raw_key, t._line ORDER BY t._schema_version DESC) AS version_age
    FROM reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN ${table} AS t ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    LEFT JOIN object_versions AS v ON v.stream = '${stream}' AND v._raw_key = t._raw_key
    WHERE t._schema_version >= coalesce(v._schema_version, 0)
)

SELECT
    account_id,
    ${each:columns and local times},
    _read_id,
    _extracted_at
FROM (
    SELECT
        account_id,
        ${each:columns},
        _read_id,
        _extracted_at,
        row_number() OVER (
            PARTITION BY ${grain}
            ORDER BY _extracted_at DESC, _raw_key DESC, _line DESC
        ) AS age
    FROM lines
    WHERE version_age = 1
) AS ranked
WHERE age = 1
