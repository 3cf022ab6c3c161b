-- What you listened on and in which countries, according to the extended export; most used first.
-- Less common platforms are shown as the export spells them.
WITH heard AS (
    SELECT
        account_id,
        CASE
            WHEN lower(platform) LIKE 'android%' THEN 'Android'
            WHEN lower(platform) LIKE 'ios%' THEN 'iOS'
            WHEN lower(platform) LIKE 'os x%' OR lower(platform) LIKE 'osx%' OR lower(platform) LIKE 'macos%' THEN 'macOS'
            WHEN lower(platform) LIKE 'windows%' THEN 'Windows'
            WHEN lower(platform) LIKE 'linux%' THEN 'Linux'
            WHEN lower(platform) LIKE 'web%' THEN 'web player'
            WHEN lower(platform) LIKE 'partner%' OR lower(platform) LIKE '%cast%' THEN 'speaker, TV or other device'
            ELSE coalesce(platform, '')
        END AS platform,
        coalesce(country, '') AS country,
        played_on,
        ms_played
    FROM listens
    WHERE is_listen AND source = 'streaming_history' AND (platform IS NOT NULL OR country IS NOT NULL)
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
