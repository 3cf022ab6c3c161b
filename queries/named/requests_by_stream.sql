-- What the last seven days cost in requests to Spotify, by stream.
SELECT
    h.account_id,
    h.stream,
    count(DISTINCT h.run_id) AS runs,
    CAST(sum(h.requests) AS bigint) AS requests,
    CAST(sum(h.records) AS bigint) AS records,
    CAST(sum(h.objects) AS bigint) AS objects,
    sum(CASE WHEN h.status IN ('failed', 'partial') THEN 1 ELSE 0 END) AS troubled_units
FROM run_history AS h
JOIN newest_run AS n ON n.account_id = h.account_id
WHERE h.scheduled_at > date_add('day', -7, n.as_of)
GROUP BY h.account_id, h.stream
ORDER BY h.account_id, requests DESC, h.stream
