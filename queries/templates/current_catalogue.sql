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
)

SELECT
    account_id,
    ${each:catalogue},
    _read_id,
    _extracted_at
FROM (
    SELECT
        c.account_id,
        c.${each:catalogue},
        c._read_id,
        c._extracted_at,
        row_number() OVER (
            PARTITION BY c.account_id, c.requested_uri, c.item_uri
            ORDER BY c._extracted_at DESC, c._raw_key DESC, c._line DESC
        ) AS age
    FROM complete_reads AS r
    JOIN units AS u ON u.account_id = r.account_id AND u.unit = r.unit
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN catalogue AS c
        ON c._raw_key = k._raw_key AND c.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = c._raw_key AND v._line = c._line AND v._schema_version = c._schema_version
    WHERE r.stream = 'catalogue' AND r.recency = 1 AND v.stream = 'catalogue'
) AS ranked
WHERE age = 1
