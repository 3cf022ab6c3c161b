-- Saved tracks you have not played in the last four weeks, or in any period, never-heard ones first.
-- Plays are matched by URI and by artist and title: one track can have several URIs, and some plays have none.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, without a period the last four weeks
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        100 AS number -- tracks per account
),

heard AS (
    SELECT
        l.account_id,
        k.track_key,
        max(l.heard_at) AS last_heard_utc,
        max(l.heard_at_local) AS last_heard_at,
        count_if(
            (p.from_date IS NULL OR l.played_on >= p.from_date)
            AND (p.to_date IS NULL OR l.played_on <= p.to_date)
            AND (coalesce(p.from_date, p.to_date) IS NOT NULL OR l.heard_at >= date_add('day', -28, n.as_of))
        ) AS listens_in_period
    FROM listens AS l
    JOIN newest_run AS n ON n.account_id = l.account_id
    CROSS JOIN parameters AS p
    CROSS JOIN UNNEST(
        ARRAY['uri:' || nullif(l.item_uri, ''), 'title:' || l.title_key]
    ) AS k (track_key)
    WHERE l.is_listen AND k.track_key IS NOT NULL
    GROUP BY l.account_id, k.track_key
),

saved AS (
    SELECT
        s.account_id,
        s.item_uri,
        s.track_name,
        s.artist_name,
        s.added_at,
        s.added_at_local,
        k.track_key
    FROM current_saved_tracks AS s
    CROSS JOIN UNNEST(
        ARRAY[
            'uri:' || s.item_uri,
            'title:' || replace(lower(s.artist_name), '/', '//') || ' / ' || lower(nullif(s.track_name, ''))
        ]
    ) AS k (track_key)
    WHERE s.item_uri <> ''
),

tracks_heard AS (
    SELECT
        s.account_id,
        s.item_uri,
        s.track_name,
        s.artist_name,
        s.added_at,
        s.added_at_local,
        max(h.last_heard_utc) AS last_heard_utc,
        max(h.last_heard_at) AS last_heard_at,
        coalesce(max(h.listens_in_period), 0) AS listens_in_period
    FROM saved AS s
    LEFT JOIN heard AS h ON h.account_id = s.account_id AND h.track_key = s.track_key
    GROUP BY s.account_id, s.item_uri, s.track_name, s.artist_name, s.added_at, s.added_at_local
),

ranked AS (
    SELECT
        t.account_id,
        row_number() OVER (
            PARTITION BY t.account_id
            ORDER BY t.last_heard_utc NULLS FIRST, t.added_at, t.item_uri
        ) AS place,
        t.track_name,
        t.artist_name,
        t.added_at_local AS saved_at,
        t.last_heard_at,
        t.item_uri
    FROM tracks_heard AS t
    WHERE t.listens_in_period = 0
)

SELECT account_id, place, track_name, artist_name, saved_at, last_heard_at, item_uri
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
