-- ${subject}, from the newest complete read.
-- Grain: ${grain}.
SELECT
    account_id,
    ${each:columns and local times},
    _read_id,
    _extracted_at
FROM (
    SELECT
        t.account_id,
        t.${each:columns},
        t._read_id,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY ${grain_of_t}
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN ${table} AS t
        ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE r.stream = '${stream}' AND r.recency = 1 AND v.stream = '${stream}'
) AS ranked
WHERE age = 1
