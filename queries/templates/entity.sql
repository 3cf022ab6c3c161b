-- ${subject}: for each column the newest value that is not null.
-- Grain: ${grain}. A simplified object therefore never erases a value from a full one.
SELECT
    ${each:grain},
    min_by(${each:values}, age) FILTER (WHERE ${each:values} IS NOT NULL) AS ${each:values},
    max(_extracted_at) AS _extracted_at
FROM (
    SELECT
        t.${each:grain},
        t.${each:values},
        t._extracted_at,
        row_number() OVER (
            PARTITION BY ${grain_of_t}
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC, t._schema_version DESC
        ) AS age
    FROM ${table} AS t
    LEFT JOIN object_versions AS v ON v._raw_key = t._raw_key
    WHERE t._schema_version >= coalesce(v._schema_version, 0)
) AS ranked
GROUP BY ${grain}
