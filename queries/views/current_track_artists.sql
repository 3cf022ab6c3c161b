-- The artists of each track, in order: the whole list from the newest line that has one.
-- Grain: account_id, track_id, position.
-- Generated from queries/templates/bridge.sql by `make views`: edit the template.
SELECT
    account_id,
    track_id,
    position,
    min(artist_id) AS artist_id
FROM (
    SELECT
        t.account_id,
        t.track_id,
        t.position,
        t.artist_id,
        rank() OVER (
            PARTITION BY t.account_id, t.track_id
            ORDER BY t._extracted_at DESC, t._raw_key DESC, t._line DESC
        ) AS age
    FROM track_artists AS t
    JOIN line_versions AS v
        ON v._raw_key = t._raw_key AND v._line = t._line AND v._schema_version = t._schema_version
) AS ranked
WHERE age = 1
GROUP BY account_id, track_id, position
