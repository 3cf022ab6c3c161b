-- How much you listened in each local week, from Monday to Sunday, newest week first; weeks without a listen are absent.
-- minutes_at_most counts the whole track for a play from the API.
SELECT
    account_id,
    CAST(date_trunc('week', played_on) AS date) AS week,
    count(*) AS listens,
    round(CAST(sum(coalesce(ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
    count(DISTINCT played_on) AS days
FROM listens
WHERE is_listen
GROUP BY account_id, CAST(date_trunc('week', played_on) AS date)
ORDER BY account_id, week DESC
