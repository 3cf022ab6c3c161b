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
        WHERE v.stream IN ('recently_played', 'streaming_history')
    ) AS numbered
    WHERE repetition = 1
),

-- An import is one run; each of its files is a unit, complete with the attempt that completed it.
files AS (
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

-- A line of the export once for each import that has it. The nth of equal plays in one import is the nth in another.
placed AS (
    SELECT
        l.account_id,
        l.source,
        l.played_at,
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
        l._extracted_at,
        l._raw_key,
        l._line,
        o.run_id AS import_id,
        CASE
            WHEN l.source = 'streaming_history' THEN row_number() OVER (
                PARTITION BY l.account_id, l.source, o.run_id, l.played_at, l.item_uri, l.ms_played
                ORDER BY l._raw_key, l._line
            )
        END AS nth,
        CASE
            WHEN l.source = 'streaming_history'
                THEN date_add('millisecond', 999, max(l.played_at) OVER (PARTITION BY l.account_id, l.source, o.run_id))
        END AS import_ends_at
    FROM lines AS l
    LEFT JOIN import_objects AS o ON o._raw_key = l._raw_key AND o.account_id = l.account_id
    WHERE l.source = 'recently_played' OR o.run_id IS NOT NULL
),

-- A moment lies in the span of an import if one that began before it ends after it. The export cuts moments to seconds.
covered AS (
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
        _line,
        import_id,
        nth,
        max(import_ends_at) OVER (PARTITION BY account_id ORDER BY played_at) AS covered_until
    FROM placed
),

counted AS (
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
        row_number() OVER (
            PARTITION BY
                account_id,
                source,
                played_at,
                item_uri,
                ms_played,
                nth
            ORDER BY import_id DESC, _extracted_at DESC, _raw_key DESC, _line DESC
        ) AS copy
    FROM covered
    WHERE source = 'streaming_history' OR covered_until IS NULL OR covered_until < played_at
)

SELECT
    account_id,
    source,
    played_at,
    played_at_local,
    CAST(played_at_local AS date) AS played_on,
    CAST(hour(played_at_local) AS integer) AS local_hour,
    CAST(day_of_week(played_at_local) AS integer) AS local_weekday,
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
    _extracted_at
FROM counted
WHERE copy = 1
