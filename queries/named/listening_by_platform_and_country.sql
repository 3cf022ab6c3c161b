-- What you listened on and in which countries, according to the extended export, most used first.
-- Less common platforms are shown as the export spells them.
WITH parameters AS (
    SELECT
        CAST(NULL AS date) AS from_date, -- first local day, null: no limit
        CAST(NULL AS date) AS to_date -- last local day, null: no limit
),

heard AS (
    SELECT
        l.account_id,
        CASE
            WHEN lower(l.platform) LIKE 'android%' THEN 'Android'
            WHEN lower(l.platform) LIKE 'ios%' THEN 'iOS'
            WHEN lower(l.platform) LIKE 'os x%' OR lower(l.platform) LIKE 'osx%' OR lower(l.platform) LIKE 'macos%' THEN 'macOS'
            WHEN lower(l.platform) LIKE 'windows%' THEN 'Windows'
            WHEN lower(l.platform) LIKE 'linux%' THEN 'Linux'
            WHEN lower(l.platform) LIKE 'web%' THEN 'web player'
            WHEN lower(l.platform) LIKE 'partner%' OR lower(l.platform) LIKE '%cast%' THEN 'speaker, TV or other device'
            ELSE coalesce(l.platform, '')
        END AS platform,
        coalesce(l.country, '') AS country,
        l.played_on,
        l.ms_played
    FROM listens AS l
    CROSS JOIN parameters AS p
    WHERE l.is_listen AND l.source = 'streaming_history' AND (l.platform IS NOT NULL OR l.country IS NOT NULL)
        AND (p.from_date IS NULL OR l.played_on >= p.from_date)
        AND (p.to_date IS NULL OR l.played_on <= p.to_date)
)

SELECT
    account_id,
    platform,
    country,
    count(*) AS listens,
    round(CAST(sum(coalesce(ms_played, 0)) AS double) / 60000e0, 1) AS minutes,
    round(100e0 * CAST(count(*) AS double) / CAST(sum(count(*)) OVER (PARTITION BY account_id) AS double), 1) AS percent,
    count(DISTINCT played_on) AS days,
    min(played_on) AS first_day,
    max(played_on) AS last_day
FROM heard
GROUP BY account_id, platform, country
ORDER BY account_id, listens DESC, platform, country
