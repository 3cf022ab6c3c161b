-- ${subject}, in order: the whole list from the newest line that has one.
-- Grain: ${grain}.
SELECT
    ${each:grain},
    min(${list:values}) AS ${list:values}
FROM (
    SELECT
        t.${each:grain},
        t.${each:values},
        rank() OVER (
            PARTITION BY ${list_of_t}
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC, t._schema_version DESC
        ) AS age
    FROM ${table} AS t
    LEFT JOIN object_versions AS v ON v._raw_key = t._raw_key
    WHERE t._schema_version >= coalesce(v._schema_version, 0)
) AS ranked
WHERE age = 1
GROUP BY ${grain}
