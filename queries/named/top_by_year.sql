-- Your top artists, tracks and albums of each local year, newest year first.
-- minutes_at_most counts the whole track for a play from the API.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        10 AS number -- artists, tracks and albums per year
),

heard AS (
    SELECT
        l.account_id,
        year(l.played_on) AS heard_in,
        k.kind,
        CASE k.kind
            WHEN 'artist' THEN l.artist_name
            WHEN 'track' THEN nullif(l.item_key, '')
            ELSE replace(l.artist_name, '/', '//') || ' / ' || nullif(l.album_name, '')
        END AS thing_key,
        CASE k.kind WHEN 'artist' THEN l.artist_name WHEN 'track' THEN l.track_name ELSE l.album_name END AS name,
        CASE WHEN k.kind <> 'artist' THEN l.artist_name END AS artist_name,
        l.ms_heard_at_most
    FROM listens AS l
    CROSS JOIN parameters AS p
    CROSS JOIN UNNEST(ARRAY['artist', 'track', 'album']) AS k (kind)
    WHERE l.is_listen AND l.item_type = 'track' AND l.artist_name <> ''
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
),

ranked AS (
    SELECT
        account_id,
        heard_in,
        kind,
        max(name) AS name,
        max(artist_name) AS artist_name,
        count(*) AS listens,
        round(CAST(sum(coalesce(ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
        row_number() OVER (
            PARTITION BY account_id, heard_in, kind
            ORDER BY count(*) DESC, sum(coalesce(ms_heard_at_most, 0)) DESC, thing_key
        ) AS place
    FROM heard
    WHERE thing_key IS NOT NULL
    GROUP BY account_id, heard_in, kind, thing_key
)

SELECT account_id, heard_in AS year, kind, place, name, artist_name, listens, minutes_at_most
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, year DESC, kind, place
