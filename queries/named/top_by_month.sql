-- What you heard most in the last twelve local months, or in any others, month by month: artists, tracks and albums.
-- The current month is one of the twelve. place_before is the place in as many months before, null without one.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- a day in the first month, null: eleven months before the last
        CAST(NULL AS date) AS to_date, -- a day in the last month, null: that of as_of
        20 AS number -- artists, tracks and albums per account
),

last_months AS (
    SELECT
        n.account_id,
        p.from_date,
        CAST(date_trunc('month', coalesce(p.to_date, CAST(n.as_of_local AS date))) AS date) AS last_month
    FROM newest_run AS n
    CROSS JOIN parameters AS p
),

spans AS (
    SELECT
        m.account_id,
        CAST(date_trunc('month', coalesce(m.from_date, date_add('month', -11, m.last_month))) AS date) AS first_month,
        m.last_month
    FROM last_months AS m
),

heard AS (
    SELECT
        l.account_id,
        k.kind,
        CASE k.kind
            WHEN 'artist' THEN l.artist_name
            WHEN 'track' THEN nullif(l.item_key, '')
            ELSE replace(l.artist_name, '/', '//') || ' / ' || nullif(l.album_name, '')
        END AS thing_key,
        CASE k.kind WHEN 'artist' THEN l.artist_name WHEN 'track' THEN l.track_name ELSE l.album_name END AS name,
        CASE WHEN k.kind <> 'artist' THEN l.artist_name END AS artist_name,
        CAST(date_trunc('month', l.played_on) AS date) AS month,
        CASE WHEN l.played_on >= s.first_month THEN 'now' ELSE 'before' END AS period,
        l.ms_heard_at_most
    FROM listens AS l
    JOIN spans AS s ON s.account_id = l.account_id
    CROSS JOIN UNNEST(ARRAY['artist', 'track', 'album']) AS k (kind)
    WHERE l.is_listen AND l.item_type = 'track' AND l.artist_name <> ''
        AND l.played_on >= date_add('month', -1 - date_diff('month', s.first_month, s.last_month), s.first_month)
        AND l.played_on < date_add('month', 1, s.last_month)
),

-- Everything below follows from one pass over `heard`, which Athena would read again for each mention.
months AS (
    SELECT
        account_id,
        kind,
        period,
        thing_key,
        month,
        max(name) AS name,
        max(artist_name) AS artist_name,
        count(*) AS listens,
        CAST(sum(coalesce(ms_heard_at_most, 0)) AS bigint) AS ms_heard_at_most
    FROM heard
    WHERE thing_key IS NOT NULL
    GROUP BY account_id, kind, period, thing_key, month
),

things AS (
    SELECT
        account_id,
        kind,
        period,
        thing_key,
        month,
        max(name) OVER thing AS name,
        max(artist_name) OVER thing AS artist_name,
        CAST(sum(listens) OVER thing AS bigint) AS listens,
        CAST(sum(ms_heard_at_most) OVER thing AS bigint) AS ms_heard_at_most,
        listens AS listens_in_month
    FROM months
    WINDOW thing AS (PARTITION BY account_id, kind, period, thing_key)
),

-- The months of a thing share its place.
ranked AS (
    SELECT
        account_id,
        kind,
        period,
        thing_key,
        month,
        name,
        artist_name,
        listens,
        round(CAST(ms_heard_at_most AS double) / 60000e0, 1) AS minutes_at_most,
        listens_in_month,
        dense_rank() OVER (
            PARTITION BY account_id, kind, period
            ORDER BY listens DESC, ms_heard_at_most DESC, thing_key
        ) AS place
    FROM things
),

compared AS (
    SELECT
        account_id,
        kind,
        period,
        month,
        name,
        artist_name,
        listens,
        minutes_at_most,
        listens_in_month,
        place,
        max(CASE WHEN period = 'before' THEN place END) OVER (
            PARTITION BY account_id, kind, thing_key
        ) AS place_before
    FROM ranked
)

SELECT
    account_id,
    kind,
    place,
    place_before,
    name,
    artist_name,
    listens,
    minutes_at_most,
    month,
    listens_in_month
FROM compared
WHERE period = 'now' AND place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, kind, place, month
