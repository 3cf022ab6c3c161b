-- Your longest streaks of local days with at least one listen, up to 20 per account.
WITH days AS (
    SELECT account_id, played_on, count(*) AS listens
    FROM listens
    WHERE is_listen
    GROUP BY account_id, played_on
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
WHERE place <= 20
ORDER BY account_id, place
