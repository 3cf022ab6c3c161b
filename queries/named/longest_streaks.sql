-- Your longest streaks of local days with at least one listen.
-- With a period: the parts of streaks within it.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date, -- last local day, null: no limit
        20 AS number -- streaks per account
),

days AS (
    SELECT l.account_id, l.played_on, count(*) AS listens
    FROM listens AS l
    CROSS JOIN parameters AS p
    WHERE l.is_listen
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
    GROUP BY l.account_id, l.played_on
),

-- Consecutive days have the same difference between date and row number.
islands AS (
    SELECT
        account_id,
        played_on,
        listens,
        date_diff('day', DATE '2000-01-01', played_on)
        - row_number() OVER (PARTITION BY account_id ORDER BY played_on) AS island
    FROM days
),

streaks AS (
    SELECT
        account_id,
        count(*) AS days,
        min(played_on) AS first_day,
        max(played_on) AS last_day,
        CAST(sum(listens) AS bigint) AS listens
    FROM islands
    GROUP BY account_id, island
),

ranked AS (
    SELECT
        account_id,
        row_number() OVER (PARTITION BY account_id ORDER BY days DESC, last_day DESC) AS place,
        days,
        first_day,
        last_day,
        listens
    FROM streaks
)

SELECT account_id, place, days, first_day, last_day, listens
FROM ranked
WHERE place <= (SELECT p.number FROM parameters AS p)
ORDER BY account_id, place
