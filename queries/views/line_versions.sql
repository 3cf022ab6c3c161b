-- The version of each raw line that counts: the highest _schema_version, whether as a row or as a rejection.
-- Grain: stream, _raw_key, _line (0 is the object itself; stream `runs` is the manifests).
-- A replay after compaction leaves rows of an older version next to the new ones, so every other view joins this one.
-- Generated from queries/templates/line_versions.sql by `make views`: edit the template.
SELECT
    stream,
    _raw_key,
    _line,
    max(_schema_version) AS _schema_version
FROM (
    SELECT 'profile' AS stream, _raw_key, _line, _schema_version FROM profile UNION ALL
    SELECT 'playlists' AS stream, _raw_key, _line, _schema_version FROM playlists UNION ALL
    SELECT 'playlist_items' AS stream, _raw_key, _line, _schema_version FROM playlist_items UNION ALL
    SELECT 'saved_tracks' AS stream, _raw_key, _line, _schema_version FROM saved_tracks UNION ALL
    SELECT 'saved_albums' AS stream, _raw_key, _line, _schema_version FROM saved_albums UNION ALL
    SELECT 'followed_artists' AS stream, _raw_key, _line, _schema_version FROM followed_artists UNION ALL
    SELECT 'top_tracks' AS stream, _raw_key, _line, _schema_version FROM top_tracks UNION ALL
    SELECT 'top_artists' AS stream, _raw_key, _line, _schema_version FROM top_artists UNION ALL
    SELECT 'saved_shows' AS stream, _raw_key, _line, _schema_version FROM saved_shows UNION ALL
    SELECT 'saved_episodes' AS stream, _raw_key, _line, _schema_version FROM saved_episodes UNION ALL
    SELECT 'catalogue' AS stream, _raw_key, _line, _schema_version FROM catalogue UNION ALL
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
