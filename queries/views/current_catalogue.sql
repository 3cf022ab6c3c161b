-- What the setting `catalogueUris` names, with the albums of its artists, each from its newest complete read.
-- Grain: account_id, requested_uri, item_uri.
-- Only what the newest run of this stream was asked for, so that what was removed from the setting is gone; what
-- Spotify refused in that run stays as it was last read.
-- Generated from queries/templates/current_catalogue.sql by `make views`: edit the template.
WITH asked AS (
    SELECT
        account_id,
        unit,
        run_id,
        first_value(run_id) OVER (
            PARTITION BY account_id
            ORDER BY started_at DESC, attempt DESC, run_id DESC
        ) AS newest_run_id
    FROM run_attempts
    -- A run refused before it came to its entries says nothing of them; one whose setting is empty does.
    WHERE stream = 'catalogue' AND (unit <> '' OR reason = 'no_catalogue_uris')
),

units AS (
    SELECT DISTINCT account_id, unit
    FROM asked
    WHERE run_id = newest_run_id
)

SELECT
    account_id,
    requested_uri,
    item_uri,
    item_type,
    artist_id,
    album_id,
    track_id,
    name,
    artist_name,
    album_name,
    album_type,
    release_date,
    release_date_precision,
    release_year,
    released_on,
    total_tracks,
    duration_ms,
    _read_id,
    _extracted_at
FROM (
    SELECT
        c.account_id,
        c.requested_uri,
        c.item_uri,
        c.item_type,
        c.artist_id,
        c.album_id,
        c.track_id,
        c.name,
        c.artist_name,
        c.album_name,
        c.album_type,
        c.release_date,
        c.release_date_precision,
        c.release_year,
        c.released_on,
        c.total_tracks,
        c.duration_ms,
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
