-- Your listening history, each play once, with when it was heard in local time.
-- Grain: a play. A play from the API is identified by account_id, played_at and item_uri.
-- Within the span of a complete import of the extended export only the export counts, and API plays count outside it.
-- The small export (source `account_data`) counts only outside those spans and before the first play from the API.
-- Elements of one import that are equal in every field are one play. Across imports, each combination of played_at,
-- item_uri and ms_played counts as often as in the import where it occurs most. A play without a URI is matched to one
-- with the same played_at, ms_played, artist and title in another import, or without a title to any other play with that
-- played_at and ms_played. Plays that an import has beyond those matches count too.
-- A play with an impossible time, such as one later than its own import, does not count: see `counted_plays`.
-- heard_at is when the play ended: offline_timestamp + ms_played for an offline play, whose played_at is when the device
-- came back online, otherwise played_at. played_on, local_hour and local_weekday follow heard_at.
-- is_listen: at least 30 s were heard. The API sends nothing shorter and no ms_played, so all of its plays are listens.
-- ms_heard_at_most: ms_played, or the length of the track for a play from the API, and started_at is that long before
-- heard_at.
-- label is your own: of the item, else of the playlist that it was played from, else of the artist (`current_labels`).
-- What you excluded there is left out.
-- title_key is artist and title in lower case, null without a title. item_key identifies what was played: item_uri, or
-- for a play without one the URI of the same title in another play, otherwise title_key, and '' if it is not known.
WITH elements AS (
    SELECT
        account_id,
        ${each:plays},
        import_id,
        -- Slashes in the artist's name are doubled, so the first single one is where the title begins.
        replace(lower(coalesce(artist_name, '')), '/', '//') || ' / ' || lower(nullif(track_name, '')) AS title_key,
        -- Spotify truncates times to seconds, in the small export to minutes. This is the latest possible time.
        CASE WHEN source = 'account_data' THEN date_add('millisecond', 59999, played_at) ELSE played_at END AS ends_by,
        CASE
            WHEN source = 'streaming_history'
                THEN date_add('millisecond', 999, max(played_at) OVER (PARTITION BY account_id, source, import_id))
        END AS import_ends_at,
        max(_extracted_at) AS _extracted_at,
        max(_raw_key || ' ' || lpad(CAST(_line AS varchar), 10, '0')) AS newest_line
    FROM counted_plays
    GROUP BY
        account_id,
        ${each:plays},
        import_id
),

-- A moment lies within the span of an import if an import that began before it ends after it.
spanned AS (
    SELECT
        account_id,
        ${each:plays},
        import_id,
        title_key,
        _extracted_at,
        newest_line,
        max(import_ends_at) OVER earlier AS covered_until,
        count(CASE WHEN source = 'recently_played' THEN 1 END) OVER earlier AS plays_from_api
    FROM elements
    WINDOW earlier AS (PARTITION BY account_id ORDER BY ends_by)
),

-- How many elements with the same time and length the import has: in total, per title, and per URI, numbered by nth.
numbered AS (
    SELECT
        account_id,
        ${each:plays},
        import_id,
        title_key,
        _extracted_at,
        newest_line,
        count(*) OVER moment AS of_moment,
        count(*) OVER titles - rank() OVER titles + 1 AS of_title,
        count(*) OVER uris - rank() OVER uris + 1 AS of_uri,
        row_number() OVER uris - rank() OVER uris + 1 AS nth
    FROM spanned
    WHERE source = 'streaming_history'
        OR (
            (covered_until IS NULL OR covered_until < played_at)
            AND (source = 'recently_played' OR plays_from_api = 0)
        )
    WINDOW
        moment AS (PARTITION BY account_id, source, import_id, played_at, ms_played),
        titles AS (PARTITION BY account_id, source, import_id, played_at, ms_played ORDER BY title_key),
        uris AS (PARTITION BY account_id, source, import_id, played_at, ms_played ORDER BY title_key, item_uri)
),

-- times: how many plays of the item this import accounts for, without a URI only those beyond the plays that have one.
-- Elements with a URI sort before those without one, so the rank of the latter is one more than the number of plays with
-- a URI of this title across all imports.
counted AS (
    SELECT
        account_id,
        ${each:plays},
        import_id,
        title_key,
        _extracted_at,
        newest_line,
        of_moment,
        CASE
            WHEN source = 'recently_played' THEN 1
            WHEN item_uri <> '' THEN of_uri
            ELSE of_title + 1 - dense_rank() OVER (
                PARTITION BY account_id, source, played_at, ms_played, title_key
                ORDER BY item_uri DESC, CASE WHEN item_uri <> '' THEN nth END
            )
        END AS times
    FROM numbered
),

-- Copies come from the import that has most of them, so all are from one export, and of the API's it is the newest.
copies AS (
    SELECT
        account_id,
        ${each:plays},
        import_id,
        title_key,
        _extracted_at,
        newest_line,
        of_moment,
        item_uri = '' AND title_key IS NULL AND source <> 'recently_played' AS is_nameless,
        times,
        row_number() OVER best_first AS copy,
        first_value(import_id) OVER best_first AS best_import_id
    FROM counted
    WINDOW best_first AS (
        PARTITION BY account_id, source, played_at, ms_played, item_uri, CASE WHEN item_uri = '' THEN title_key END
        ORDER BY times DESC, of_moment DESC, import_id DESC, _extracted_at DESC, newest_line DESC
    )
),

-- Nameless plays come last and count only if their import has more plays with that time and length.
placed AS (
    SELECT
        account_id,
        ${each:plays},
        title_key,
        CASE
            WHEN offline AND offline_timestamp IS NOT NULL
                THEN least(date_add('millisecond', coalesce(ms_played, 0), offline_timestamp), played_at)
            ELSE played_at
        END AS heard_at,
        _extracted_at,
        of_moment,
        is_nameless,
        row_number() OVER (
            PARTITION BY account_id, source, played_at, ms_played
            ORDER BY is_nameless, of_moment DESC, import_id DESC, newest_line DESC
        ) AS place
    FROM copies
    WHERE is_nameless OR copy <= times OR (item_uri <> '' AND import_id = best_import_id)
),

heard AS (
    SELECT
        account_id,
        ${each:plays},
        title_key,
        CASE
            WHEN item_uri <> '' THEN item_uri
            WHEN title_key IS NOT NULL
                THEN coalesce(max(nullif(item_uri, '')) OVER (PARTITION BY account_id, item_type, title_key), title_key)
            ELSE ''
        END AS item_key,
        heard_at,
        CAST(heard_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS heard_at_local,
        date_add('millisecond', -coalesce(ms_played, duration_ms, 0), heard_at) AS started_at,
        _extracted_at
    FROM placed
    WHERE place <= of_moment OR NOT is_nameless
)

SELECT
    h.account_id,
    h.source,
    h.played_at,
    CAST(h.played_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS played_at_local,
    h.started_at,
    CAST(h.started_at AT TIME ZONE 'UTC' AT TIME ZONE '${timezone}' AS timestamp) AS started_at_local,
    h.heard_at,
    h.heard_at_local,
    CAST(h.heard_at_local AS date) AS played_on,
    CAST(hour(h.heard_at_local) AS integer) AS local_hour,
    CAST(day_of_week(h.heard_at_local) AS integer) AS local_weekday,
    h.item_uri,
    h.item_key,
    h.title_key,
    h.item_type,
    h.track_id,
    h.track_name,
    h.artist_name,
    h.album_name,
    h.context_type,
    h.context_uri,
    h.duration_ms,
    h.ms_played,
    coalesce(h.ms_played, h.duration_ms) AS ms_heard_at_most,
    h.source = 'recently_played' OR coalesce(h.ms_played, 0) >= 30000 AS is_listen,
    h.${each:plays after ms_played},
    coalesce(i.label, c.label, a.label) AS label,
    h._extracted_at
FROM heard AS h
LEFT JOIN current_labels AS i ON i.account_id = h.account_id AND i.subject = h.item_key
LEFT JOIN current_labels AS c
    ON c.account_id = h.account_id
    AND c.subject = 'spotify:playlist:' || regexp_extract(h.context_uri, ':playlist:([A-Za-z0-9]+)', 1)
LEFT JOIN current_labels AS a ON a.account_id = h.account_id AND a.subject = lower(h.artist_name)
WHERE NOT (coalesce(i.excluded, false) OR coalesce(c.excluded, false) OR coalesce(a.excluded, false))
