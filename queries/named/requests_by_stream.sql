-- How many requests to Spotify each stream needed in the seven days up to the newest run.
WITH history AS (
    SELECT
        account_id,
        run_id,
        stream,
        status,
        scheduled_at,
        requests,
        records,
        objects,
        max(scheduled_at) OVER (PARTITION BY account_id) AS newest_at
    FROM run_history
    WHERE account_id IS NOT NULL
)

SELECT
    account_id,
    stream,
    count(DISTINCT run_id) AS runs,
    CAST(sum(requests) AS bigint) AS requests,
    CAST(sum(records) AS bigint) AS records,
    CAST(sum(objects) AS bigint) AS objects,
    sum(CASE WHEN status IN ('failed', 'partial') THEN 1 ELSE 0 END) AS troubled_units
FROM history
WHERE scheduled_at > date_add('day', -7, newest_at)
GROUP BY account_id, stream
ORDER BY account_id, requests DESC, stream
