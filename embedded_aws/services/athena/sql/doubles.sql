-- The text of doubles.

-- A double as Java's DecimalFormat 0.0###E0 writes it, from the shortest digits that tell it from its neighbours.
CREATE MACRO trino_digits(x) AS ltrim(replace(split_part(CAST(abs(x) AS VARCHAR), 'e', 1), '.', ''), '0');
CREATE MACRO trino_exponent(x) AS CAST(coalesce(nullif(split_part(CAST(abs(x) AS VARCHAR), 'e', 2), ''), '0') AS INTEGER)
    + length(split_part(split_part(CAST(abs(x) AS VARCHAR), 'e', 1), '.', 1)) - 1
    - (length(replace(split_part(CAST(abs(x) AS VARCHAR), 'e', 1), '.', '')) - length(trino_digits(x)));
CREATE MACRO trino_double_text(x) AS CASE
    WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END
    WHEN x = 0 THEN CASE WHEN signbit(x) THEN '-0E0' ELSE '0E0' END
    -- Java's shortest text of the least double has two digits.
    WHEN abs(x) = 5e-324 THEN CASE WHEN x < 0 THEN '-' ELSE '' END || '4.9E-324'
    ELSE CASE WHEN x < 0 THEN '-' ELSE '' END || trino_digits(x)[1] || '.'
        || CASE WHEN rtrim(trino_digits(x)[2:], '0') = '' THEN '0' ELSE rtrim(trino_digits(x)[2:], '0') END || 'E' || trino_exponent(x) END;
-- A number as Java writes it, in the errors of casts.
CREATE MACRO trino_number_in_error(x) AS CASE
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') AND NOT abs(TRY_CAST(x AS DOUBLE)) < 1e7
    THEN trino_double_text(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE)) ELSE CAST(x AS VARCHAR) END;
CREATE MACRO trino_beyond(x, target) AS trino_fail(CASE
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') AND isnan(TRY_CAST(x AS DOUBLE))
    THEN 'INVALID_CAST_ARGUMENT: Cannot cast double NaN to ' || target
    WHEN typeof(x) IN ('TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'DOUBLE', 'FLOAT')
    THEN 'NUMERIC_VALUE_OUT_OF_RANGE: Out of range for ' || target || ': ' || trino_number_in_error(x)
    ELSE 'INVALID_CAST_ARGUMENT: Cannot cast ''' || CAST(x AS VARCHAR) || ''' to ' || upper(target) END);
