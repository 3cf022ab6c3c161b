-- The versions that count of raw objects transformed after their day: rows of a lower _schema_version are outdated.
-- Grain: stream, _raw_key (stream `runs` is the manifests, null is objects that this project did not write).
-- A replay overwrites what the object became before, but not rows that a compaction has moved to a larger object. Of an
-- object without a row here, only the rows of one version are left once its transform is over. Until then a line counts
-- as its newest version has it.
SELECT stream, _raw_key, max(_schema_version) AS _schema_version
FROM replays
GROUP BY stream, _raw_key
