-- Your saved tracks, from the last full read and the incremental reads since.
-- Grain: account_id, item_uri, with its newest added_at. Items without a URI ('') are identified by added_at.
-- A track that you removed stays until the next full read.
SELECT
    account_id,
    ${each:saved_tracks and local times},
    _read_id,
    _extracted_at
FROM (
    SELECT
        t.account_id,
        t.${each:saved_tracks},
        t._read_id,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id, t.item_uri, CASE WHEN t.item_uri = '' THEN t.added_at END
            ORDER BY t.added_at DESC, t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN saved_tracks AS t ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE r.stream = 'saved_tracks' AND r.recency = 1 AND v.stream = 'saved_tracks'
) AS ranked
WHERE age = 1
