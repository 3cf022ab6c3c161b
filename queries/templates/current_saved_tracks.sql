-- Your saved tracks, from the last full read and the incremental reads since.
-- Grain: account_id, item_uri, with its newest added_at. Items without a URI ('') are identified by added_at.
-- A track that you removed stays until the next full read.
WITH reads AS (
    SELECT account_id, read_keys
    FROM complete_reads
    WHERE stream = 'saved_tracks' AND recency = 1
),

lines AS (
    SELECT
        t.account_id,
        t.${each:saved_tracks},
        t._read_id,
        t._extracted_at,
        t._raw_key,
        t._line,
        rank() OVER (PARTITION BY t._raw_key, t._line ORDER BY t._schema_version DESC) AS version_age
    FROM reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN saved_tracks AS t ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    LEFT JOIN object_versions AS v ON v.stream = 'saved_tracks' AND v._raw_key = t._raw_key
    WHERE t._schema_version >= coalesce(v._schema_version, 0)
)

SELECT
    account_id,
    ${each:saved_tracks and local times},
    _read_id,
    _extracted_at
FROM (
    SELECT
        account_id,
        ${each:saved_tracks},
        _read_id,
        _extracted_at,
        row_number() OVER (
            PARTITION BY account_id, item_uri, CASE WHEN item_uri = '' THEN added_at END
            ORDER BY added_at DESC, _extracted_at DESC, _raw_key DESC, _line DESC
        ) AS age
    FROM lines
    WHERE version_age = 1
) AS ranked
WHERE age = 1
