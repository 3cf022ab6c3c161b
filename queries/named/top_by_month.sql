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

ranked AS (
    SELECT
        account_id,
        kind,
        period,
        thing_key,
        max(name) AS name,
        max(artist_name) AS artist_name,
        count(*) AS listens,
        round(CAST(sum(coalesce(ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
        row_number() OVER (
            PARTITION BY account_id, kind, period
            ORDER BY count(*) DESC, sum(coalesce(ms_heard_at_most, 0)) DESC, thing_key
        ) AS place
    FROM heard
    WHERE thing_key IS NOT NULL
    GROUP BY account_id, kind, period, thing_key
),

months AS (
    SELECT account_id, kind, thing_key, month, count(*) AS listens
    FROM heard
    WHERE period = 'now' AND thing_key IS NOT NULL
    GROUP BY account_id, kind, thing_key, month
)

SELECT
    r.account_id,
    r.kind,
    r.place,
    b.place AS place_before,
    r.name,
    r.artist_name,
    r.listens,
    r.minutes_at_most,
    m.month,
    m.listens AS listens_in_month
FROM ranked AS r
JOIN months AS m ON m.account_id = r.account_id AND m.kind = r.kind AND m.thing_key = r.thing_key
LEFT JOIN ranked AS b
    ON b.account_id = r.account_id AND b.kind = r.kind AND b.thing_key = r.thing_key AND b.period = 'before'
WHERE r.period = 'now' AND r.place <= (SELECT p.number FROM parameters AS p)
ORDER BY r.account_id, r.kind, r.place, m.month
