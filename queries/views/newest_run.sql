-- The newest run of each account, and as_of, the moment that queries on your listening count back from.
-- Grain: account_id.
-- as_of is the time of the newest run that read plays from the API or, if later, the newest play in `listens`. It is
-- not the time of an import: an export ends days or weeks before that. Without either it is the time of the newest run.
-- run_id and scheduled_at are those of the extractor's newest run, whatever it read: queries on your library count back
-- from there. They are null for an account that only has imports.
WITH runs_known AS (
    SELECT
        account_id,
        max(CASE WHEN "trigger" <> 'import' THEN run_id END) AS run_id,
        max(CASE WHEN "trigger" <> 'import' THEN scheduled_at END) AS scheduled_at,
        max(CASE WHEN stream = 'recently_played' AND status IN ('complete', 'unchanged') THEN scheduled_at END)
            AS plays_read_at,
        max(scheduled_at) AS newest_at
    FROM run_attempts
    WHERE account_id IS NOT NULL
    GROUP BY account_id
),

-- A small export counts only before the first play from the API.
newest_plays AS (
    SELECT
        account_id,
        coalesce(
            max(CASE WHEN source = 'recently_played' THEN played_at END),
            max(CASE WHEN source = 'account_data' THEN played_at END)
        ) AS api_or_small_at,
        max(CASE WHEN source = 'streaming_history' THEN played_at END) AS extended_at
    FROM counted_plays
    GROUP BY account_id
),

moments AS (
    SELECT
        r.account_id,
        r.run_id,
        r.scheduled_at,
        coalesce(max(k.known_at), r.scheduled_at, r.newest_at) AS as_of
    FROM runs_known AS r
    LEFT JOIN newest_plays AS p ON p.account_id = r.account_id
    CROSS JOIN UNNEST(ARRAY[r.plays_read_at, p.api_or_small_at, p.extended_at]) AS k (known_at)
    GROUP BY r.account_id, r.run_id, r.scheduled_at, r.newest_at
)

SELECT
    account_id,
    run_id,
    scheduled_at,
    CAST(scheduled_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS scheduled_at_local,
    as_of,
    CAST(as_of AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS as_of_local
FROM moments
