-- Two periods of your listening compared: in total, and the artists, tracks and albums that changed most.
-- Without dates: this local year so far and the same days of the year before. status is `new` for what was not heard in
-- the other period, and `gone` for what was heard only in it. Minutes count the whole track for a play from the API.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: the first of the last day's year
        CAST(NULL AS date) AS to_date, -- last local day, null: that of as_of
        CAST(NULL AS date) AS compared_from_date, -- first local day of the other period, null: a year before from_date
        CAST(NULL AS date) AS compared_to_date, -- last local day of the other period, null: a year before to_date
        20 AS number -- artists, tracks and albums per account
),

last_days AS (
    SELECT
        n.account_id,
        p.from_date,
        coalesce(p.to_date, CAST(n.as_of_local AS date)) AS to_date,
        p.compared_from_date,
        p.compared_to_date
    FROM newest_run AS n
    CROSS JOIN parameters AS p
),

periods AS (
    SELECT
        d.account_id,
        d.first_day,
        d.to_date AS last_day,
        coalesce(d.compared_from_date, CAST(date_add('year', -1, d.first_day) AS date)) AS other_first_day,
        coalesce(d.compared_to_date, CAST(date_add('year', -1, d.to_date) AS date)) AS other_last_day
    FROM (
        SELECT
            l.account_id,
            coalesce(l.from_date, CAST(date_trunc('year', l.to_date) AS date)) AS first_day,
            l.to_date,
            l.compared_from_date,
            l.compared_to_date
        FROM last_days AS l
    ) AS d
),

-- The periods may overlap.
heard AS (
    SELECT
        account_id,
        played_on,
        item_key,
        track_name,
        artist_name,
        album_name,
        item_type,
        ms_heard_at_most,
        is_now,
        is_before
    FROM (
        SELECT
            l.account_id,
            l.played_on,
            l.item_key,
            l.track_name,
            l.artist_name,
            l.album_name,
            l.item_type,
            l.ms_heard_at_most,
            l.played_on BETWEEN p.first_day AND p.last_day AS is_now,
            l.played_on BETWEEN p.other_first_day AND p.other_last_day AS is_before
        FROM listens AS l
        JOIN periods AS p ON p.account_id = l.account_id
        WHERE l.is_listen
    ) AS either
    WHERE is_now OR is_before
),

-- All of it in one thing, `total`, besides each artist, track and album: Athena would read `heard` again for each mention.
things AS (
    SELECT
        h.account_id,
        k.kind,
        CASE k.kind
            WHEN 'total' THEN ''
            WHEN 'artist' THEN h.artist_name
            WHEN 'track' THEN nullif(h.item_key, '')
            ELSE replace(h.artist_name, '/', '//') || ' / ' || nullif(h.album_name, '')
        END AS thing_key,
        CASE k.kind WHEN 'artist' THEN h.artist_name WHEN 'track' THEN h.track_name ELSE h.album_name END AS name,
        CASE WHEN k.kind <> 'artist' THEN h.artist_name END AS artist_name,
        CASE WHEN k.kind = 'total' THEN h.ms_heard_at_most END AS ms,
        CASE WHEN k.kind = 'total' THEN h.played_on END AS day,
        CASE WHEN k.kind = 'total' AND h.item_type = 'track' THEN nullif(h.artist_name, '') END AS artist,
        CASE WHEN k.kind = 'total' AND h.item_type = 'track' THEN nullif(h.item_key, '') END AS track,
        h.is_now,
        h.is_before
    FROM heard AS h
    CROSS JOIN UNNEST(ARRAY['total', 'artist', 'track', 'album']) AS k (kind)
    WHERE k.kind = 'total' OR (h.item_type = 'track' AND h.artist_name <> '')
),

counted AS (
    SELECT
        account_id,
        kind,
        thing_key,
        max(name) AS name,
        max(artist_name) AS artist_name,
        count_if(is_now) AS listens,
        count_if(is_before) AS listens_before,
        sum(CASE WHEN is_now THEN coalesce(ms, 0) ELSE 0 END) AS ms,
        sum(CASE WHEN is_before THEN coalesce(ms, 0) ELSE 0 END) AS ms_before,
        count(DISTINCT CASE WHEN is_now THEN day END) AS days,
        count(DISTINCT CASE WHEN is_before THEN day END) AS days_before,
        count(DISTINCT CASE WHEN is_now THEN artist END) AS artists,
        count(DISTINCT CASE WHEN is_before THEN artist END) AS artists_before,
        count(DISTINCT CASE WHEN is_now THEN track END) AS tracks,
        count(DISTINCT CASE WHEN is_before THEN track END) AS tracks_before
    FROM things
    WHERE thing_key IS NOT NULL
    GROUP BY account_id, kind, thing_key
),

-- measure is 0 for a thing, which is counted in listens alone.
measured AS (
    SELECT
        c.account_id,
        c.kind,
        c.thing_key,
        m.measure,
        CASE
            WHEN m.measure > 0
                THEN element_at(ARRAY['listens', 'minutes', 'days', 'artists', 'tracks'], m.measure)
            ELSE c.name
        END AS name,
        CASE WHEN m.measure = 0 THEN c.artist_name END AS artist_name,
        CASE m.measure
            WHEN 2 THEN CAST(round(CAST(c.ms AS double) / 60000e0) AS bigint)
            WHEN 3 THEN c.days
            WHEN 4 THEN c.artists
            WHEN 5 THEN c.tracks
            ELSE c.listens
        END AS amount,
        CASE m.measure
            WHEN 2 THEN CAST(round(CAST(c.ms_before AS double) / 60000e0) AS bigint)
            WHEN 3 THEN c.days_before
            WHEN 4 THEN c.artists_before
            WHEN 5 THEN c.tracks_before
            ELSE c.listens_before
        END AS amount_before
    FROM counted AS c
    CROSS JOIN UNNEST(ARRAY[0, 1, 2, 3, 4, 5]) AS m (measure)
    WHERE (c.kind = 'total') = (m.measure > 0)
),

compared AS (
    SELECT
        account_id,
        kind,
        row_number() OVER (
            PARTITION BY account_id, kind
            ORDER BY measure, abs(amount - amount_before) DESC, amount DESC, thing_key
        ) AS place,
        name,
        artist_name,
        amount,
        amount_before
    FROM measured
)

SELECT
    c.account_id,
    c.kind,
    c.place,
    c.name,
    c.artist_name,
    c.amount,
    c.amount_before,
    c.amount - c.amount_before AS change,
    CASE
        WHEN c.amount_before = 0 THEN 'new'
        WHEN c.amount = 0 THEN 'gone'
        WHEN c.amount > c.amount_before THEN 'more'
        WHEN c.amount < c.amount_before THEN 'less'
        ELSE 'same'
    END AS status
FROM compared AS c
CROSS JOIN parameters AS p
WHERE c.kind = 'total' OR c.place <= p.number
ORDER BY c.account_id, CASE c.kind WHEN 'total' THEN 0 ELSE 1 END, c.kind, c.place
