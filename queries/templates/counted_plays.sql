-- The plays that `listens` is built from: those from the API and from complete imports.
-- Grain: source, _raw_key, _line, import_id, which is null for the API. A line can belong to several imports.
-- An import is one run, and each of its files is a unit, of which the attempt that completed it counts.
-- Plays dated before 2008, when Spotify began, or more than a day after they were imported or read are left out, since
-- it is unknown when they were heard. `plays` has them. ms_played is null if it is negative or more than a day.
WITH files AS (
    SELECT
        account_id,
        run_id,
        read_keys,
        min(CASE WHEN is_complete THEN 1 ELSE 0 END) OVER (PARTITION BY account_id, run_id) AS all_complete
    FROM (
        SELECT
            account_id,
            run_id,
            read_keys,
            is_complete,
            row_number() OVER (
                PARTITION BY account_id, run_id, unit
                ORDER BY CASE WHEN is_complete THEN 0 ELSE 1 END, attempt DESC
            ) AS place
        FROM read_arrivals
        WHERE stream = 'streaming_history'
    ) AS attempts
    WHERE place = 1
),

import_objects AS (
    SELECT DISTINCT f.account_id, f.run_id, k._raw_key
    FROM files AS f
    CROSS JOIN UNNEST(f.read_keys) AS k (_raw_key)
    WHERE f.all_complete = 1
),

lines AS (
    SELECT
        p.account_id,
        p.${each:plays},
        p._extracted_at,
        p._raw_key,
        p._line,
        rank() OVER (PARTITION BY p._raw_key, p._line ORDER BY p._schema_version DESC) AS version_age
    FROM plays AS p
    LEFT JOIN object_versions AS v
        ON v.stream IN ('recently_played', 'streaming_history') AND v._raw_key = p._raw_key
    WHERE p._schema_version >= coalesce(v._schema_version, 0)
        AND p.source IN ('recently_played', 'streaming_history', 'account_data')
)

SELECT
    p.account_id,
    p.${each:plays before ms_played},
    CASE WHEN p.ms_played BETWEEN 0 AND 86400000 THEN p.ms_played END AS ms_played,
    p.${each:plays after ms_played},
    CAST(p.played_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS played_at_local,
    p._extracted_at,
    p._raw_key,
    p._line,
    o.run_id AS import_id
FROM lines AS p
LEFT JOIN import_objects AS o ON o._raw_key = p._raw_key AND o.account_id = p.account_id
WHERE p.version_age = 1
    AND (p.source = 'recently_played' OR o.run_id IS NOT NULL)
    AND p.played_at >= TIMESTAMP '2008-01-01 00:00:00'
    AND p.played_at <= date_add('day', 1, p._extracted_at)
