-- The account itself, from the newest complete read.
-- Grain: account_id.
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
        p.account_id,
        p.user_id,
        p.uri,
        p.display_name,
        p.country,
        p.email,
        p.product,
        p.followers,
        p.image_url,
        p.spotify_url,
        p._read_id,
        p._extracted_at,
        row_number() OVER (
            PARTITION BY p.account_id
            ORDER BY p._extracted_at DESC, p._raw_key DESC, p._line DESC
        ) AS age
    FROM complete_reads AS r
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
    JOIN profile AS p
        ON p._raw_key = k._raw_key AND p.account_id = r.account_id
    JOIN line_versions AS v
        ON v._raw_key = p._raw_key AND v._line = p._line AND v._schema_version = p._schema_version
    WHERE r.stream = 'profile' AND r.recency = 1 AND v.stream = 'profile'
) AS ranked
WHERE age = 1
