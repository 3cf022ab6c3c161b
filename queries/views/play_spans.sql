-- The span of plays of each complete import, and of the API.
-- Grain: account_id, source, import_id, which is null for the API.
SELECT
    account_id,
    source,
    import_id,
    min(played_at) AS first_played_at,
    max(played_at) AS last_played_at
FROM counted_plays
GROUP BY account_id, source, import_id
