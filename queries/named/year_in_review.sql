-- Your listening year by year, in local time: how much, how many artists, what came first, newest year first.
-- minutes_at_most counts the whole track for a play from the API. new_artists were first heard in that year.
-- With a period: the years as far as they are within it.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
),

heard AS (
    SELECT
        account_id,
        year(played_on) AS heard_in,
        played_on,
        ms_heard_at_most,
        CASE WHEN item_type = 'episode' THEN ms_played END AS ms_of_podcasts,
        CASE WHEN item_type = 'track' THEN nullif(item_key, '') END AS track_key,
        CASE WHEN item_type = 'track' THEN track_name END AS track_name,
        CASE WHEN item_type = 'track' THEN nullif(artist_name, '') END AS artist_name,
        CASE WHEN item_type = 'track' THEN nullif(album_name, '') END AS album_name,
        min(CASE WHEN item_type = 'track' THEN year(played_on) END) OVER (
            PARTITION BY account_id, artist_name
        ) AS artist_first_heard_in
    FROM listens
    WHERE is_listen
),

counted AS (
    SELECT
        h.account_id,
        h.heard_in,
        h.played_on,
        h.ms_heard_at_most,
        h.ms_of_podcasts,
        h.track_key,
        h.track_name,
        h.artist_name,
        h.album_name,
        h.artist_first_heard_in,
        count(*) OVER (PARTITION BY h.account_id, h.heard_in, h.artist_name) AS listens_of_artist,
        count(*) OVER (PARTITION BY h.account_id, h.heard_in, h.track_key) AS listens_of_track,
        count(*) OVER (PARTITION BY h.account_id, h.heard_in, h.artist_name, h.album_name) AS listens_of_album
    FROM heard AS h
    CROSS JOIN parameters AS p
    WHERE (p.from_date IS NULL OR h.played_on >= p.from_date)
        AND (p.to_date IS NULL OR h.played_on <= p.to_date)
),

-- The most listens come first, and anything that is not music comes last.
placed AS (
    SELECT
        account_id,
        heard_in,
        played_on,
        ms_heard_at_most,
        ms_of_podcasts,
        track_key,
        track_name,
        artist_name,
        album_name,
        artist_first_heard_in,
        listens_of_artist,
        listens_of_track,
        listens_of_album,
        row_number() OVER (
            PARTITION BY account_id, heard_in
            ORDER BY CASE WHEN artist_name IS NULL THEN 0 ELSE listens_of_artist END DESC, artist_name
        ) AS place_of_artist,
        row_number() OVER (
            PARTITION BY account_id, heard_in
            ORDER BY CASE WHEN track_key IS NULL THEN 0 ELSE listens_of_track END DESC, track_key, track_name, artist_name
        ) AS place_of_track,
        row_number() OVER (
            PARTITION BY account_id, heard_in
            ORDER BY CASE WHEN album_name IS NULL THEN 0 ELSE listens_of_album END DESC, album_name, artist_name
        ) AS place_of_album
    FROM counted
)

SELECT
    account_id,
    heard_in AS year,
    count(*) AS listens,
    round(CAST(sum(coalesce(ms_heard_at_most, 0)) AS double) / 60000e0, 1) AS minutes_at_most,
    round(CAST(sum(coalesce(ms_of_podcasts, 0)) AS double) / 60000e0, 1) AS minutes_of_podcasts,
    count(DISTINCT played_on) AS days,
    count(DISTINCT track_key) AS tracks,
    count(DISTINCT artist_name) AS artists,
    count(DISTINCT CASE WHEN artist_first_heard_in = heard_in THEN artist_name END) AS new_artists,
    max(CASE WHEN place_of_artist = 1 THEN artist_name END) AS top_artist,
    max(CASE WHEN place_of_artist = 1 AND artist_name IS NOT NULL THEN listens_of_artist END) AS top_artist_listens,
    max(CASE WHEN place_of_track = 1 THEN track_name END) AS top_track,
    max(CASE WHEN place_of_track = 1 THEN artist_name END) AS top_track_artist,
    max(CASE WHEN place_of_track = 1 AND track_key IS NOT NULL THEN listens_of_track END) AS top_track_listens,
    max(CASE WHEN place_of_album = 1 THEN album_name END) AS top_album,
    max(CASE WHEN place_of_album = 1 AND album_name IS NOT NULL THEN artist_name END) AS top_album_artist,
    max(CASE WHEN place_of_album = 1 AND album_name IS NOT NULL THEN listens_of_album END) AS top_album_listens
FROM placed
GROUP BY account_id, heard_in
ORDER BY account_id, heard_in DESC
