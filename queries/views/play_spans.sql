-- From when to when each complete import has plays, and the API.
-- Grain: account_id, source, import_id, which is null for the API.
SELECT
    account_id,
    source,
    import_id,
    min(played_at) AS first_played_at,
    max(played_at) AS last_played_at
FROM counted_plays
GROUP BY account_id, source, import_id
