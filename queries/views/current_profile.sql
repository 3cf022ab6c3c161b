-- The account itself, from the newest complete read.
-- Grain: account_id.
-- Generated from queries/templates/snapshot.sql by `make views`: edit the template.
SELECT
    account_id,
    user_id,
    uri,
    display_name,
    country,
    email,
    product,
    followers,
    image_url,
    spotify_url,
    _read_id,
    _extracted_at
FROM (
    SELECT
        t.account_id,
        t.user_id,
        t.uri,
        t.display_name,
        t.country,
        t.email,
        t.product,
        t.followers,
        t.image_url,
        t.spotify_url,
        t._read_id,
        t._extracted_at,
        row_number() OVER (
            PARTITION BY t.account_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN profile AS t
        ON t._raw_key = k._raw_key AND t.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
    WHERE r.stream = 'profile' AND r.recency = 1 AND v.stream = 'profile'
) AS ranked
WHERE age = 1
