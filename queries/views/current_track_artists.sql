-- The artists of each track, in order: the full list from the newest line that has one.
-- Grain: account_id, track_id, position.
SELECT
    account_id,
    track_id,
    position,
    min(artist_id) AS artist_id
FROM (
    SELECT
        b.account_id,
        b.track_id,
        b.position,
        b.artist_id,
        rank() OVER (
            PARTITION BY b.account_id, b.track_id
            ORDER BY b._extracted_at DESC, b._raw_key DESC, b._line DESC
        ) AS age
    FROM track_artists AS b
    JOIN line_versions AS v
        ON v._raw_key = b._raw_key AND v._line = b._line AND v._schema_version = b._schema_version
) AS ranked
WHERE age = 1
GROUP BY account_id, track_id, position
