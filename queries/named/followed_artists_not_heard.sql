-- Artists you follow but have not heard in the last twelve weeks, or in any period, never-heard ones first.
-- Plays are matched by artist id (featured artists too) and by name, since exports name only the first artist.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, without a period the last twelve weeks
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        100 AS number -- artists per account
),

heard AS (
    SELECT
        l.account_id,
        k.artist_key,
        max(l.heard_at) AS last_heard_utc,
        max(l.heard_at_local) AS last_heard_at,
        count_if(
            (p.from_date IS NULL OR l.played_on >= p.from_date)
            AND (p.to_date IS NULL OR l.played_on <= p.to_date)
            AND (coalesce(p.from_date, p.to_date) IS NOT NULL OR l.heard_at >= date_add('day', -84, n.as_of))
        ) AS listens_in_period
    FROM listens AS l
    JOIN newest_run AS n ON n.account_id = l.account_id
    CROSS JOIN parameters AS p
    LEFT JOIN current_track_artists AS t ON t.account_id = l.account_id AND t.track_id = l.track_id
    CROSS JOIN UNNEST(ARRAY['id:' || t.artist_id, 'name:' || lower(l.artist_name)]) AS k (artist_key)
    WHERE l.is_listen AND l.item_type = 'track' AND k.artist_key IS NOT NULL
    GROUP BY l.account_id, k.artist_key
),

followed AS (
    SELECT
        f.account_id,
        f.artist_id,
        coalesce(f.artist_name, '') AS artist_name,
        k.artist_key
    FROM current_followed_artists AS f
    CROSS JOIN UNNEST(ARRAY['id:' || f.artist_id, 'name:' || lower(nullif(f.artist_name, ''))]) AS k (artist_key)
),

artists_heard AS (
    SELECT
        f.account_id,
        f.artist_id,
        f.artist_name,
        max(h.last_heard_utc) AS last_heard_utc,
        max(h.last_heard_at) AS last_heard_at,
        coalesce(max(h.listens_in_period), 0) AS listens_in_period
    FROM followed AS f
    LEFT JOIN heard AS h ON h.account_id = f.account_id AND h.artist_key = f.artist_key
    GROUP BY f.account_id, f.artist_id, f.artist_name
),

ranked AS (
    SELECT
        a.account_id,
        row_number() OVER (
            PARTITION BY a.account_id
            ORDER BY a.last_heard_utc NULLS FIRST, a.artist_name, a.artist_id
        ) AS place,
        a.artist_name,
        a.last_heard_at,
        a.artist_id
    FROM artists_heard AS a
    WHERE a.listens_in_period = 0
)

SELECT account_id, place, artist_name, last_heard_at, artist_id
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
