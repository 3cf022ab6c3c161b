-- Your own labels and exclusions, from the newest import.
-- Grain: account_id, subject.
SELECT
    account_id,
    ${each:labels},
    _read_id,
    _extracted_at
FROM (
    SELECT
        account_id,
        ${each:labels},
        _read_id,
        _extracted_at,
        max(_raw_key) OVER (PARTITION BY account_id) AS newest_raw_key,
        _raw_key,
        row_number() OVER (
            PARTITION BY account_id, _raw_key, subject
            ORDER BY _schema_version DESC, _line DESC
        ) AS copy
    FROM labels
) AS imported
WHERE _raw_key = newest_raw_key AND copy = 1 AND subject <> ''
