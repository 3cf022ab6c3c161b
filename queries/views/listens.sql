-- What was listened to, each play once, with local time.
-- Grain: a play. Plays from the API are one per account_id, played_at and item_uri.
-- Inside the span of a complete import of the privacy export the export is the truth: API plays count only outside. Over
-- several imports each (played_at, item_uri, ms_played) counts as often as in the import that has it most often.
WITH lines AS (
    SELECT
        account_id,
        source,
        played_at,
        item_uri,
        item_type,
        track_id,
        track_name,
        artist_name,
        album_name,
        context_type,
        context_uri,
        duration_ms,
        ms_played,
        reason_start,
        reason_end,
        skipped,
        shuffle,
        offline,
        incognito,
        platform,
        country,
        _extracted_at,
        _raw_key,
        _line
    FROM (
        SELECT
            p.account_id,
            p.source,
            p.played_at,
            p.item_uri,
            p.item_type,
            p.track_id,
            p.track_name,
            p.artist_name,
            p.album_name,
            p.context_type,
            p.context_uri,
            p.duration_ms,
            p.ms_played,
            p.reason_start,
            p.reason_end,
            p.skipped,
            p.shuffle,
            p.offline,
            p.incognito,
            p.platform,
            p.country,
            p._extracted_at,
            p._raw_key,
            p._line,
            row_number() OVER (PARTITION BY p._raw_key, p._line ORDER BY p._extracted_at, p.played_at) AS repetition
        FROM plays AS p
        JOIN line_versions AS v
            ON v.stream = p.source
            AND v._raw_key = p._raw_key
            AND v._line = p._line
            AND v._schema_version = p._schema_version
    ) AS numbered
    WHERE repetition = 1
),

imported_files AS (
    SELECT DISTINCT account_id, run_id, unit
    FROM run_history
    WHERE stream = 'streaming_history'
),

arrived_files AS (
    SELECT DISTINCT account_id, run_id, unit
    FROM complete_reads
    WHERE stream = 'streaming_history'
),

-- An import is one run; it counts once all its files are complete.
imports AS (
    SELECT f.account_id, f.run_id
    FROM imported_files AS f
    LEFT JOIN arrived_files AS a ON a.account_id = f.account_id AND a.run_id = f.run_id AND a.unit = f.unit
    GROUP BY f.account_id, f.run_id
    HAVING count(*) = count(a.unit)
),

import_objects AS (
    SELECT DISTINCT i.account_id, i.run_id, k._raw_key
    FROM imports AS i
    JOIN complete_reads AS r
        ON r.account_id = i.account_id AND r.run_id = i.run_id AND r.stream = 'streaming_history'
    CROSS JOIN UNNEST(r.read_keys) AS k (_raw_key)
),

import_spans AS (
    SELECT o.account_id, o.run_id, min(l.played_at) AS first_played_at, max(l.played_at) AS last_played_at
    FROM import_objects AS o
    JOIN lines AS l ON l._raw_key = o._raw_key AND l.account_id = o.account_id
    WHERE l.source = 'streaming_history'
    GROUP BY o.account_id, o.run_id
),

-- The nth of equal plays in one import is the nth in another.
exported AS (
    SELECT
        l._raw_key,
        l._line,
        l.account_id,
        l.played_at,
        l.item_uri,
        l.ms_played,
        o.run_id,
        row_number() OVER (
            PARTITION BY o.account_id, o.run_id, l.played_at, l.item_uri, l.ms_played
            ORDER BY l._raw_key, l._line
        ) AS nth
    FROM import_objects AS o
    JOIN lines AS l ON l._raw_key = o._raw_key AND l.account_id = o.account_id
    WHERE l.source = 'streaming_history'
),

counted AS (
    SELECT _raw_key, _line
    FROM (
        SELECT
            _raw_key,
            _line,
            row_number() OVER (
                PARTITION BY account_id, played_at, item_uri, ms_played, nth
                ORDER BY run_id DESC, _raw_key, _line
            ) AS copy
        FROM exported
    ) AS copies
    WHERE copy = 1
    UNION ALL
    SELECT _raw_key, _line
    FROM (
        SELECT
            l._raw_key,
            l._line,
            row_number() OVER (
                PARTITION BY l.account_id, l.played_at, l.item_uri
                ORDER BY l._extracted_at DESC, l._raw_key DESC, l._line DESC
            ) AS copy
        FROM lines AS l
        LEFT JOIN import_spans AS s
            ON s.account_id = l.account_id AND l.played_at BETWEEN s.first_played_at AND s.last_played_at
        WHERE l.source = 'recently_played' AND s.run_id IS NULL
    ) AS copies
    WHERE copy = 1
),

local_lines AS (
    SELECT
        account_id,
        source,
        played_at,
        item_uri,
        item_type,
        track_id,
        track_name,
        artist_name,
        album_name,
        context_type,
        context_uri,
        duration_ms,
        ms_played,
        reason_start,
        reason_end,
        skipped,
        shuffle,
        offline,
        incognito,
        platform,
        country,
        CAST(played_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS played_at_local,
        _extracted_at,
        _raw_key,
        _line
    FROM lines
)

SELECT
    l.account_id,
    l.source,
    l.played_at,
    l.played_at_local,
    CAST(l.played_at_local AS date) AS played_on,
    CAST(hour(l.played_at_local) AS integer) AS local_hour,
    CAST(day_of_week(l.played_at_local) AS integer) AS local_weekday,
    l.item_uri,
    l.item_type,
    l.track_id,
    l.track_name,
    l.artist_name,
    l.album_name,
    l.context_type,
    l.context_uri,
    l.duration_ms,
    l.ms_played,
    l.reason_start,
    l.reason_end,
    l.skipped,
    l.shuffle,
    l.offline,
    l.incognito,
    l.platform,
    l.country,
    l._extracted_at
FROM local_lines AS l
JOIN counted AS c ON c._raw_key = l._raw_key AND c._line = l._line
