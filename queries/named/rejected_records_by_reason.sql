-- Records that could not become a row, by stream and reason, with the newest one as an example.
SELECT
    account_id,
    stream,
    reason,
    count(*) AS records,
    max(_extracted_at) AS newest_at,
    max(CASE WHEN age = 1 THEN detail END) AS newest_detail,
    max(CASE WHEN age = 1 THEN _raw_key END) AS newest_raw_key
FROM (
    SELECT
        account_id,
        stream,
        reason,
        detail,
        _extracted_at,
        _raw_key,
        row_number() OVER (
            PARTITION BY account_id, stream, reason
            ORDER BY _extracted_at DESC, _raw_key DESC, _line DESC
        ) AS age
    FROM rejections
) AS ranked
GROUP BY account_id, stream, reason
ORDER BY records DESC, account_id, stream, reason
