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
-- An import is one run; each of its files is a unit, complete with the attempt that completed it.
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

-- A line of an export once for each import that has it. Spotify cuts its moments to seconds, in the small export to
-- minutes: ends_by is the last moment that one may stand for.
lines AS (
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
        nullif(lower(coalesce(p.artist_name, '')) || ' / ' || lower(coalesce(p.track_name, '')), ' / ') AS title_key,
        CASE WHEN p.source = 'account_data' THEN date_add('millisecond', 59999, p.played_at) ELSE p.played_at END
            AS ends_by,
        p._extracted_at,
        p._raw_key,
        p._line,
        o.run_id AS import_id
    FROM plays AS p
    JOIN line_versions AS v
        ON v.stream = CASE p.source WHEN 'account_data' THEN 'streaming_history' ELSE p.source END
        AND v._raw_key = p._raw_key
        AND v._line = p._line
        AND v._schema_version = p._schema_version
    LEFT JOIN import_objects AS o ON o._raw_key = p._raw_key AND o.account_id = p.account_id
    WHERE v.stream IN ('recently_played', 'streaming_history')
        AND (p.source = 'recently_played' OR o.run_id IS NOT NULL)
),

-- Elements that are equal in every field are peers, of which the first counts. An export of the years in which Spotify
-- left out URIs, and of audiobooks the titles too, has the same plays as a newer one: title and moment tell.
placed AS (
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
        ends_by,
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
            ELSE coalesce(max(item_uri) OVER (PARTITION BY account_id, source, played_at, ms_played), '')
        END AS played_item,
        row_number() OVER elements = rank() OVER elements AS is_first_of_equals,
        dense_rank() OVER elements AS nth,
        CASE
            WHEN source = 'streaming_history'
                THEN date_add('millisecond', 999, max(played_at) OVER (PARTITION BY account_id, source, import_id))
        END AS import_ends_at
    FROM lines
    WINDOW elements AS (
        PARTITION BY
            account_id,
            source,
            import_id,
            played_at,
            item_uri,
            CASE WHEN item_uri = '' THEN title_key END,
            ms_played
        ORDER BY
            item_type,
            track_name,
            artist_name,
            album_name,
            reason_start,
            reason_end,
            skipped,
            shuffle,
            offline,
            offline_timestamp,
            incognito,
            platform,
            country
    )
),

-- A moment lies in the span of an import if one that began before it ends after it.
spanned AS (
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
        nth,
        max(import_ends_at) OVER earlier AS covered_until,
        count(CASE WHEN source = 'recently_played' THEN 1 END) OVER earlier AS plays_from_api
    FROM placed
    WHERE source = 'recently_played' OR is_first_of_equals
    WINDOW earlier AS (PARTITION BY account_id ORDER BY ends_by)
),

-- Of several imports all elements of the one that has a play most often, so that they stay those of one export; of the
-- API's copies the newest.
copies AS (
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
        import_id,
        row_number() OVER best_first AS copy,
        first_value(import_id) OVER best_first AS best_import_id
    FROM spanned
    WHERE source = 'streaming_history'
        OR (
            (covered_until IS NULL OR covered_until < played_at)
            AND (source = 'recently_played' OR plays_from_api = 0)
        )
    WINDOW best_first AS (
        PARTITION BY account_id, source, played_at, played_item, ms_played
        ORDER BY
            CASE WHEN source <> 'recently_played' THEN nth END DESC,
            CASE WHEN item_uri <> '' THEN 0 ELSE 1 END,
            import_id DESC,
            _extracted_at DESC,
            _raw_key DESC,
            _line DESC
    )
),

heard AS (
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
        END AS heard_at
    FROM copies
    WHERE CASE WHEN source = 'recently_played' THEN copy = 1 ELSE import_id = best_import_id END
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
    FROM heard
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
    source = 'recently_played' OR coalesce(ms_played, 0) >= 30000 AS is_listen,
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
