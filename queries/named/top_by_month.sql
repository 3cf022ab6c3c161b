-- What you heard most in the last twelve local months, month by month: twenty artists, tracks and albums.
-- The current month is one of the twelve. place_before is the place in the twelve months before, null without one.
WITH heard AS (
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
        CASE
            WHEN l.played_on >= date_add('month', -11, CAST(date_trunc('month', n.as_of_local) AS date)) THEN 'now'
            ELSE 'before'
        END AS period,
        l.ms_heard_at_most
    FROM listens AS l
    JOIN newest_run AS n ON n.account_id = l.account_id
    CROSS JOIN UNNEST(ARRAY['artist', 'track', 'album']) AS k (kind)
    WHERE l.is_listen AND l.item_type = 'track' AND l.artist_name <> ''
        AND l.played_on >= date_add('month', -23, CAST(date_trunc('month', n.as_of_local) AS date))
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
WHERE r.period = 'now' AND r.place <= 20
ORDER BY r.account_id, r.kind, r.place, m.month
