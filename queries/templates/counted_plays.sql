-- The plays that `listens` is built from: those from the API and from complete imports.
-- Grain: source, _raw_key, _line, import_id, which is null for the API. A line can belong to several imports.
-- An import is one run, and each of its files is a unit, of which the newest attempt that is complete counts. What is
-- complete is as in `read_arrivals`, but counted here, so that `plays` is read once.
-- Plays dated before 2008, when Spotify began, or more than a day after they were imported or read are left out, since
-- it is unknown when they were heard. `plays` has them. ms_played is null if it is negative or more than a day.
WITH files AS (
    SELECT
        r.account_id,
        r.run_id,
        r.unit,
        r.attempt,
        r.read_complete,
        r.read_records,
        k._raw_key
    FROM run_attempts AS r
    -- The empty key is for a read without objects.
    CROSS JOIN UNNEST(
        CASE
            WHEN r.read_complete AND cardinality(r.read_keys) > 0 THEN array_distinct(r.read_keys)
            ELSE ARRAY[CAST('' AS varchar)]
        END
    ) AS k (_raw_key)
    WHERE r.stream = 'streaming_history'
),

stored AS (
    SELECT
        account_id,
        ${each:plays},
        _extracted_at,
        _raw_key,
        _line,
        _schema_version,
        _schema_version AS play_version
    FROM plays
    WHERE source IN ('recently_played', 'streaming_history', 'account_data')
    UNION ALL
    SELECT
        NULL AS account_id,
        NULL AS ${each:plays},
        NULL AS _extracted_at,
        _raw_key,
        _line,
        _schema_version,
        0 AS play_version
    FROM rejected_records
    WHERE stream = 'streaming_history' AND _line > 0
),

-- Of each line, its plays of the newest version come first, and rejections last.
lines AS (
    SELECT
        s.account_id,
        s.${each:plays},
        s._extracted_at,
        s._raw_key,
        s._line,
        s.play_version,
        rank() OVER newest_first AS version_age,
        row_number() OVER newest_first AS copy
    FROM stored AS s
    LEFT JOIN object_versions AS v
        ON v.stream IN ('recently_played', 'streaming_history') AND v._raw_key = s._raw_key
    WHERE s._schema_version >= coalesce(v._schema_version, 0)
    WINDOW newest_first AS (PARTITION BY s._raw_key, s._line ORDER BY s.play_version DESC)
),

file_lines AS (
    SELECT
        l.account_id,
        l.${each:plays},
        l._extracted_at,
        l._raw_key,
        l._line,
        l.play_version,
        l.version_age,
        f.account_id AS import_account_id,
        f.run_id,
        f.unit,
        f.attempt,
        f.read_complete AND f.read_records = count(CASE WHEN l.copy = 1 THEN 1 END) OVER (
            PARTITION BY f.account_id, f.run_id, f.unit, f.attempt
        ) AS is_complete
    FROM lines AS l
    FULL JOIN files AS f ON f._raw_key = l._raw_key
),

unit_lines AS (
    SELECT
        account_id,
        ${each:plays},
        _extracted_at,
        _raw_key,
        _line,
        play_version,
        version_age,
        import_account_id,
        run_id,
        attempt,
        max(CASE WHEN is_complete THEN attempt END) OVER (
            PARTITION BY import_account_id, run_id, unit
        ) AS complete_attempt
    FROM file_lines
),

import_lines AS (
    SELECT
        account_id,
        ${each:plays},
        _extracted_at,
        _raw_key,
        _line,
        play_version,
        version_age,
        import_account_id,
        run_id,
        attempt,
        complete_attempt,
        count(CASE WHEN complete_attempt IS NULL THEN 1 END) OVER (
            PARTITION BY import_account_id, run_id
        ) AS incomplete
    FROM unit_lines
)

SELECT
    account_id,
    ${each:plays before ms_played},
    CASE WHEN ms_played BETWEEN 0 AND 86400000 THEN ms_played END AS ms_played,
    ${each:plays after ms_played},
    CAST(played_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS played_at_local,
    _extracted_at,
    _raw_key,
    _line,
    run_id AS import_id
FROM import_lines
WHERE play_version > 0
    AND version_age = 1
    AND (source = 'recently_played' OR (import_account_id = account_id AND attempt = complete_attempt AND incomplete = 0))
    AND played_at >= TIMESTAMP '2008-01-01 00:00:00'
    AND played_at <= date_add('day', 1, _extracted_at)
