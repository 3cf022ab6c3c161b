-- What was listened to, each play once, with when it was heard in local time.
-- Grain: a play. Plays from the API are one per account_id, played_at and item_uri.
-- Within the span of a complete import of the extended export the export is the truth: API plays count only outside it.
-- The small export (source `account_data`) counts only outside those spans and before the first play from the API.
-- Elements of one import that are equal in every field are one play; over several imports each (played_at, item_uri,
-- ms_played) counts as often as in the import that has it most often, plays without a URI told apart by artist and title.
-- heard_at is when the play ended: of an offline play offline_timestamp + ms_played, since its played_at is when the
-- device came back online; else played_at. played_on, local_hour and local_weekday follow heard_at.
-- is_listen: at least 30 s were heard; the API sends nothing shorter and no ms_played, so all of its plays are listens.
-- ms_heard_at_most: ms_played, or for plays from the API the whole length of the track.
-- item_key: item_uri, or for a play without one the URI that the same title has in another play, else artist and title.
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
        offline_timestamp,
        incognito,
        platform,
        country,
        lower(coalesce(artist_name, '')) || ' / ' || lower(nullif(track_name, '')) AS title_key,
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
            p.offline_timestamp,
            p.incognito,
            p.platform,
            p.country,
            p._extracted_at,
            p._raw_key,
            p._line,
            row_number() OVER (PARTITION BY p._raw_key, p._line ORDER BY p._extracted_at, p.played_at) AS repetition
        FROM plays AS p
        JOIN line_versions AS v
            ON v.stream = CASE p.source WHEN 'account_data' THEN 'streaming_history' ELSE p.source END
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

-- A line of an export once for each import that has it. Spotify cuts its moments to seconds, or to minutes in the small
-- export: import_ends_at and ends_by are the last moments that they may stand for.
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
        l.offline_timestamp,
        l.incognito,
        l.platform,
        l.country,
        l.title_key,
        l._extracted_at,
        l._raw_key,
        l._line,
        o.run_id AS import_id,
        CASE
            WHEN l.source <> 'recently_played' THEN row_number() OVER (
                PARTITION BY
                    l.account_id,
                    l.source,
                    o.run_id,
                    l.played_at,
                    l.item_uri,
                    l.item_type,
                    l.track_id,
                    l.track_name,
                    l.artist_name,
                    l.album_name,
                    l.ms_played,
                    l.reason_start,
                    l.reason_end,
                    l.skipped,
                    l.shuffle,
                    l.offline,
                    l.offline_timestamp,
                    l.incognito,
                    l.platform,
                    l.country
                ORDER BY l._raw_key, l._line
            )
            ELSE 1
        END AS repetition,
        CASE
            WHEN l.source = 'streaming_history'
                THEN date_add('millisecond', 999, max(l.played_at) OVER (PARTITION BY l.account_id, l.source, o.run_id))
        END AS import_ends_at,
        CASE WHEN l.source = 'account_data' THEN date_add('millisecond', 59999, l.played_at) ELSE l.played_at END
            AS ends_by
    FROM lines AS l
    LEFT JOIN import_objects AS o ON o._raw_key = l._raw_key AND o.account_id = l.account_id
    WHERE l.source = 'recently_played' OR o.run_id IS NOT NULL
),

-- A moment lies in the span of an import if one that began before it ends after it. An export of the years in which
-- Spotify left out the URIs has the same plays as a newer one that has them: title and moment tell.
elements AS (
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
        offline_timestamp,
        incognito,
        platform,
        country,
        title_key,
        _extracted_at,
        _raw_key,
        _line,
        import_id,
        CASE
            WHEN item_uri <> '' THEN item_uri
            WHEN title_key IS NOT NULL THEN coalesce(
                max(nullif(item_uri, '')) OVER (PARTITION BY account_id, source, played_at, ms_played, title_key),
                title_key
            )
            ELSE ''
        END AS played_item,
        max(import_ends_at) OVER (PARTITION BY account_id ORDER BY ends_by) AS covered_until,
        min(CASE WHEN source = 'recently_played' THEN played_at END) OVER (PARTITION BY account_id) AS first_from_api_at
    FROM placed
    WHERE repetition = 1
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
        offline_timestamp,
        incognito,
        platform,
        country,
        title_key,
        _extracted_at,
        _raw_key,
        _line,
        import_id,
        played_item,
        count(*) OVER (PARTITION BY account_id, source, import_id, played_at, played_item, ms_played) AS times
    FROM elements
    WHERE source = 'streaming_history'
        OR (
            (covered_until IS NULL OR covered_until < played_at)
            AND (
                source = 'recently_played'
                OR first_from_api_at IS NULL
                OR played_at < date_trunc('minute', first_from_api_at)
            )
        )
),

-- All of the import that has a play most often, so that its elements stay those of one export; one of the API's copies.
chosen AS (
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
        offline_timestamp,
        incognito,
        platform,
        country,
        title_key,
        _extracted_at,
        CASE
            WHEN offline AND offline_timestamp IS NOT NULL
                THEN least(date_add('millisecond', coalesce(ms_played, 0), offline_timestamp), played_at)
            ELSE played_at
        END AS heard_at,
        rank() OVER (
            PARTITION BY account_id, source, played_at, played_item, ms_played
            ORDER BY
                times DESC,
                import_id DESC,
                CASE WHEN source = 'recently_played' THEN _extracted_at END DESC,
                CASE WHEN source = 'recently_played' THEN _raw_key END DESC,
                CASE WHEN source = 'recently_played' THEN _line END DESC
        ) AS place
    FROM counted
),

localized AS (
    SELECT
        account_id,
        source,
        played_at,
        CAST(played_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS played_at_local,
        heard_at,
        CAST(heard_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS heard_at_local,
        item_uri,
        CASE
            WHEN item_uri <> '' THEN item_uri
            WHEN title_key IS NOT NULL
                THEN coalesce(max(nullif(item_uri, '')) OVER (PARTITION BY account_id, item_type, title_key), title_key)
            ELSE ''
        END AS item_key,
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
        offline_timestamp,
        incognito,
        platform,
        country,
        _extracted_at
    FROM chosen
    WHERE place = 1
)

SELECT
    account_id,
    source,
    played_at,
    played_at_local,
    heard_at,
    heard_at_local,
    CAST(heard_at_local AS date) AS played_on,
    CAST(hour(heard_at_local) AS integer) AS local_hour,
    CAST(day_of_week(heard_at_local) AS integer) AS local_weekday,
    item_uri,
    item_key,
    item_type,
    track_id,
    track_name,
    artist_name,
    album_name,
    context_type,
    context_uri,
    duration_ms,
    ms_played,
    coalesce(ms_played, duration_ms) AS ms_heard_at_most,
    coalesce(ms_played, 30000) >= 30000 AS is_listen,
    reason_start,
    reason_end,
    skipped,
    shuffle,
    offline,
    offline_timestamp,
    incognito,
    platform,
    country,
    _extracted_at
FROM localized
