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
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM ${table} AS t
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
) AS ranked
WHERE age = 1
GROUP BY ${grain}
