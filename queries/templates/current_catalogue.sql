-- The entries of the setting `catalogueUris`, with the albums of its artists, each from its newest complete read.
-- Grain: account_id, requested_uri, item_uri.
-- Only entries of the newest run of this stream: those removed from the setting since are gone, and those that Spotify
-- refused in that run are as last read.
WITH requested AS (
    SELECT
        account_id,
        unit,
        run_id,
        first_value(run_id) OVER (
            PARTITION BY account_id
            ORDER BY started_at DESC, attempt DESC, run_id DESC
        ) AS newest_run_id
    FROM run_attempts
    -- A run refused before it reached its entries says nothing about them, but one with an empty setting does.
    WHERE stream = 'catalogue' AND (unit <> '' OR reason = 'no_catalogue_uris')
),

units AS (
    SELECT DISTINCT account_id, unit
    FROM requested
    WHERE run_id = newest_run_id
),

reads AS (
    SELECT r.account_id, r.read_keys
    FROM complete_reads AS r
    JOIN units AS u ON u.account_id = r.account_id AND u.unit = r.unit
    WHERE r.stream = 'catalogue' AND r.recency = 1
),

lines AS (
    SELECT
        c.account_id,
        c.${each:catalogue},
        c._read_id,
        c._extracted_at,
        c._raw_key,
        c._line,
        rank() OVER (PARTITION BY c._raw_key, c._line ORDER BY c._schema_version DESC) AS version_age
    FROM reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN catalogue AS c ON c._raw_key = k._raw_key AND c.account_id = r.account_id
    LEFT JOIN object_versions AS v ON v.stream = 'catalogue' AND v._raw_key = c._raw_key
    WHERE c._schema_version >= coalesce(v._schema_version, 0)
)

SELECT
    account_id,
    ${each:catalogue},
    _read_id,
    _extracted_at
FROM (
    SELECT
        account_id,
        ${each:catalogue},
        _read_id,
        _extracted_at,
        row_number() OVER (
            PARTITION BY account_id, requested_uri, item_uri
            ORDER BY _extracted_at DESC, _raw_key DESC, _line DESC
        ) AS age
    FROM lines
    WHERE version_age = 1
) AS ranked
WHERE age = 1
