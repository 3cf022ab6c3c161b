-- The version of each raw line that counts: the highest _schema_version, whether as a row or as a rejection.
-- Grain: stream, _raw_key, _line (0 is the object itself, and stream `runs` is the manifests).
-- A replay after compaction leaves rows of an older version next to the new ones, so every other view joins this one.
SELECT
    stream,
    _raw_key,
    _line,
    max(_schema_version) AS _schema_version
FROM (
    SELECT '${each:streams}' AS stream, _raw_key, _line, _schema_version FROM ${each:streams} UNION ALL
    SELECT 'recently_played' AS stream, _raw_key, _line, _schema_version FROM plays WHERE source = 'recently_played'
    UNION ALL
    SELECT 'streaming_history' AS stream, _raw_key, _line, _schema_version
    FROM plays
    WHERE source IN ('streaming_history', 'account_data')
    UNION ALL
    SELECT 'runs' AS stream, _raw_key, _line, _schema_version FROM runs
    UNION ALL
    SELECT stream, _raw_key, _line, _schema_version FROM rejected_records
) AS lines
GROUP BY stream, _raw_key, _line
