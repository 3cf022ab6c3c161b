-- When plays may have been lost: spans that ended with 50 new plays at once, and long spans without a read of the plays.
-- Spotify keeps only the last 50, so a read with 50 new ones may have missed earlier ones. What a full run reads again
-- is not new. The newest span may have no read at its end yet. in_export: an imported export has the whole span, so
-- nothing is missing.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        6 AS silent_hours -- longest span without a read
),

repeated AS (
    SELECT account_id, run_id, count(*) AS plays
    FROM (
        SELECT
            account_id,
            _run_id AS run_id,
            row_number() OVER (PARTITION BY account_id, played_at, item_uri ORDER BY _run_id) AS place
        FROM (
            SELECT DISTINCT account_id, _run_id, played_at, item_uri
            FROM plays
            WHERE source = 'recently_played'
        ) AS once_a_run
    ) AS served
    WHERE place > 1
    GROUP BY account_id, run_id
),

reads AS (
    SELECT
        h.account_id,
        h.started_at,
        h.started_at_local,
        CASE WHEN h.status = 'complete' THEN h.records - coalesce(r.plays, 0) ELSE 0 END AS new_plays
    FROM run_history AS h
    LEFT JOIN repeated AS r ON r.account_id = h.account_id AND r.run_id = h.run_id
    WHERE h.stream = 'recently_played' AND h.status IN ('complete', 'unchanged')
    UNION ALL
    SELECT
        r.account_id,
        max(n.scheduled_at) AS started_at,
        max(n.scheduled_at_local) AS started_at_local,
        CAST(NULL AS bigint) AS new_plays
    FROM run_history AS r
    JOIN newest_run AS n ON n.account_id = r.account_id
    WHERE r.stream = 'recently_played' AND r.status IN ('complete', 'unchanged')
    GROUP BY r.account_id
    HAVING max(r.started_at) < max(n.scheduled_at)
),

spans AS (
    SELECT
        account_id,
        lag(started_at) OVER each_account AS from_utc,
        started_at AS to_utc,
        lag(started_at_local) OVER each_account AS from_time,
        started_at_local AS to_time,
        new_plays
    FROM reads
    WINDOW each_account AS (PARTITION BY account_id ORDER BY started_at)
),

imports AS (
    SELECT account_id, import_id, min(played_at) AS first_at, max(played_at) AS last_at
    FROM counted_plays
    WHERE source = 'streaming_history'
    GROUP BY account_id, import_id
)

SELECT
    s.account_id,
    s.from_time,
    s.to_time,
    round(CAST(date_diff('minute', s.from_utc, s.to_utc) AS double) / 60e0, 1) AS hours,
    s.new_plays,
    CASE WHEN s.new_plays >= 50 THEN '50 new plays' ELSE 'no read' END AS reason,
    count(i.import_id) > 0 AS in_export
FROM spans AS s
CROSS JOIN parameters AS p
LEFT JOIN imports AS i ON i.account_id = s.account_id AND i.first_at <= s.from_utc AND i.last_at >= s.to_utc
WHERE (s.new_plays >= 50 OR date_diff('minute', s.from_utc, s.to_utc) > 60 * p.silent_hours)
    AND s.from_utc IS NOT NULL
    AND (p.from_date IS NULL OR CAST(s.to_time AS date) >= p.from_date)
    AND (p.to_date IS NULL OR CAST(s.from_time AS date) <= p.to_date)
GROUP BY s.account_id, s.from_utc, s.to_utc, s.from_time, s.to_time, s.new_plays
ORDER BY s.account_id, s.from_time DESC
