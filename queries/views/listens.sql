-- What was listened to, each play once, with when it was heard in local time.
-- Grain: a play. Plays from the API are one per account_id, played_at and item_uri.
-- Within the span of a complete import of the extended export the export is the truth: API plays count only outside it.
-- The small export (source `account_data`) counts only outside those spans and before the first play from the API.
-- Elements of one import that are equal in every field are one play; over several imports each (played_at, item_uri,
-- ms_played) counts as often as in the import that has it most often. A play without a URI is the one that another
-- import has with the same artist, title, played_at and ms_played, one without a title too any one of that moment; what
-- an import has beyond those counts in addition.
-- A play of an impossible time, such as one from after its own import, does not count (`counted_plays`).
-- heard_at is when the play ended: of an offline play offline_timestamp + ms_played, since its played_at is when the
-- device came back online; else played_at. played_on, local_hour and local_weekday follow heard_at.
-- is_listen: at least 30 s were heard; the API sends nothing shorter and no ms_played, so all of its plays are listens.
-- ms_heard_at_most: ms_played, or for plays from the API the whole length of the track. started_at is heard_at less that.
-- title_key: artist and title in lower case, null without a title. item_key: item_uri, or for a play without one the URI
-- that the same title has in another play, else title_key; '' where nothing tells which item it was.
WITH elements AS (
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
        import_id,
        -- No artist's slash is single, so the first single one divides the two.
        replace(lower(coalesce(artist_name, '')), '/', '//') || ' / ' || lower(nullif(track_name, '')) AS title_key,
        -- Spotify cuts its moments to seconds, in the small export to minutes: the last moment that one may stand for.
        CASE
            WHEN source = 'account_data' THEN date_add('millisecond', 59999, played_at)
            WHEN source = 'streaming_history' THEN date_add('millisecond', 999, played_at)
            ELSE played_at
        END AS ends_by,
        max(_extracted_at) AS _extracted_at,
        max(_raw_key || ' ' || lpad(CAST(_line AS varchar), 10, '0')) AS newest_line
    FROM counted_plays
    GROUP BY
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
        import_id
),

-- What is covered is left out: by an extended export, and of the small export also by what the API brought.
outside_spans AS (
    SELECT
        e.account_id,
        e.source,
        e.played_at,
        e.item_uri,
        e.item_type,
        e.track_id,
        e.track_name,
        e.artist_name,
        e.album_name,
        e.context_type,
        e.context_uri,
        e.duration_ms,
        e.ms_played,
        e.reason_start,
        e.reason_end,
        e.skipped,
        e.shuffle,
        e.offline,
        e.offline_timestamp,
        e.incognito,
        e.platform,
        e.country,
        e.import_id,
        e.title_key,
        e._extracted_at,
        e.newest_line
    FROM elements AS e
    LEFT JOIN play_spans AS s
        ON s.account_id = e.account_id
        AND e.source <> 'streaming_history'
        AND s.first_played_at <= e.ends_by
        AND (
            (s.source = 'streaming_history' AND e.played_at <= date_add('millisecond', 999, s.last_played_at))
            OR (s.source = 'recently_played' AND e.source = 'account_data')
        )
    WHERE s.account_id IS NULL
),

-- Within one import and title those with a URI come first; nth tells those of the same URI apart.
numbered AS (
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
        import_id,
        title_key,
        _extracted_at,
        newest_line,
        rank() OVER same_title AS first_place,
        row_number() OVER same_title - rank() OVER same_title + 1 AS nth,
        count(*) OVER same_title AS last_place,
        count(*) OVER (PARTITION BY account_id, source, import_id, played_at, ms_played) AS elements_of_moment
    FROM outside_spans
    WINDOW same_title AS (
        PARTITION BY account_id, source, import_id, played_at, ms_played, title_key
        ORDER BY item_uri DESC
    )
),

-- Before the elements without a URI come as many as all imports together have with one.
matched AS (
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
        import_id,
        title_key,
        _extracted_at,
        newest_line,
        elements_of_moment,
        first_place,
        last_place,
        dense_rank() OVER (
            PARTITION BY account_id, source, played_at, ms_played, title_key
            ORDER BY item_uri DESC, CASE WHEN item_uri <> '' THEN nth END
        ) AS place_over_imports
    FROM numbered
),

-- How many plays the import says that there are of this item.
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
        import_id,
        title_key,
        _extracted_at,
        newest_line,
        elements_of_moment,
        item_uri = '' AND title_key IS NULL AND source <> 'recently_played' AS is_nameless,
        CASE
            WHEN source = 'recently_played' THEN 1
            WHEN item_uri <> '' THEN last_place - first_place + 1
            ELSE last_place - place_over_imports + 1
        END AS times
    FROM matched
),

-- All copies that count are of the import that has the most, so that they stay those of one export; of the API's the
-- newest.
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
        import_id,
        title_key,
        _extracted_at,
        newest_line,
        elements_of_moment,
        is_nameless,
        times,
        row_number() OVER (
            PARTITION BY
                account_id,
                source,
                played_at,
                ms_played,
                item_uri,
                CASE WHEN item_uri = '' THEN title_key END
            ORDER BY times DESC, import_id DESC, _extracted_at DESC, newest_line DESC
        ) AS copy
    FROM counted
),

-- Those of which nothing is known come last: they count as far as their import has more plays of that moment.
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
        _extracted_at,
        elements_of_moment,
        is_nameless,
        row_number() OVER (
            PARTITION BY account_id, source, played_at, ms_played
            ORDER BY is_nameless, elements_of_moment DESC, import_id DESC, newest_line DESC
        ) AS place
    FROM copies
    WHERE copy <= times OR is_nameless
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
        CASE
            WHEN item_uri <> '' THEN item_uri
            WHEN title_key IS NOT NULL
                THEN coalesce(max(nullif(item_uri, '')) OVER (PARTITION BY account_id, item_type, title_key), title_key)
            ELSE ''
        END AS item_key,
        CASE
            WHEN offline AND offline_timestamp IS NOT NULL
                THEN least(date_add('millisecond', coalesce(ms_played, 0), offline_timestamp), played_at)
            ELSE played_at
        END AS heard_at,
        coalesce(ms_played, duration_ms) AS ms_heard_at_most,
        _extracted_at
    FROM placed
    WHERE place <= elements_of_moment OR NOT is_nameless
),

timed AS (
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
        item_key,
        heard_at,
        CAST(heard_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS heard_at_local,
        date_add('millisecond', -coalesce(ms_heard_at_most, 0), heard_at) AS started_at,
        ms_heard_at_most,
        _extracted_at
    FROM heard
)

SELECT
    account_id,
    source,
    played_at,
    CAST(played_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS played_at_local,
    started_at,
    CAST(started_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS started_at_local,
    heard_at,
    heard_at_local,
    CAST(heard_at_local AS date) AS played_on,
    CAST(hour(heard_at_local) AS integer) AS local_hour,
    CAST(day_of_week(heard_at_local) AS integer) AS local_weekday,
    item_uri,
    item_key,
    title_key,
    item_type,
    track_id,
    track_name,
    artist_name,
    album_name,
    context_type,
    context_uri,
    duration_ms,
    ms_played,
    ms_heard_at_most,
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
FROM timed
