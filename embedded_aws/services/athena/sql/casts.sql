-- CAST and TRY_CAST: one macro per target type. {name} is the macro prefix, {cast} DuckDB's cast, {failed} the result for
-- text that Trino rejects, though DuckDB may accept it.
-- Source: https://trino.io/docs/current/functions/conversion.html

CREATE MACRO {name}_varchar(x) AS CASE
    WHEN typeof(x) = 'TIMESTAMP' THEN strftime(CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
    WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE'
        THEN strftime(timezone('UTC', CAST(CAST(x AS VARCHAR) AS TIMESTAMP WITH TIME ZONE)), '%Y-%m-%d %H:%M:%S.%g UTC')
    WHEN typeof(x) = 'DOUBLE' THEN trino_double_text(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE))
    WHEN typeof(x) = 'FLOAT'
        THEN error('NOT_SUPPORTED: The text of a real (1.0E0) is not modelled by the embedded Athena; cast to double first')
    WHEN typeof(x) LIKE '%[]' OR typeof(x) LIKE 'MAP%' OR typeof(x) LIKE 'STRUCT%'
        THEN error('TYPE_MISMATCH: Cannot cast ' || typeof(x) || ' to varchar')
    ELSE CAST(x AS VARCHAR) END;
-- Text is cut to a length; anything else must fit.
CREATE MACRO {name}_varchar_of(x, n) AS CASE
    WHEN typeof(x) <> 'VARCHAR' AND length({name}_varchar(x)) > n THEN {too_long}
    ELSE left({name}_varchar(x), n) END;
CREATE MACRO {name}_bigint(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '[+-]?\d+') THEN {failed}
    -- Trino rounds half away from zero, DuckDB to even.
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN {cast}(round(TRY_CAST(x AS DOUBLE)) AS BIGINT)
    ELSE {cast}(x AS BIGINT) END;
CREATE MACRO {name}_double(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(
        CAST(x AS VARCHAR), '\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity)\s*'
    ) THEN {failed}
    ELSE {cast}(x AS DOUBLE) END;
CREATE MACRO {name}_boolean(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN typeof(x) = 'VARCHAR' AND lower(CAST(x AS VARCHAR)) NOT IN ('true', 't', '1', 'false', 'f', '0') THEN {failed}
    ELSE {cast}(x AS BOOLEAN) END;
CREATE MACRO {name}_date(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '\s*\d{{4}}-\d{{1,2}}-\d{{1,2}}\s*') THEN {failed}
    ELSE {cast}(x AS DATE) END;
CREATE MACRO {name}_timestamp(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(
        CAST(x AS VARCHAR), '\s*\d{{4}}-\d{{1,2}}-\d{{1,2}}( ([01]?\d|2[0-3]):\d{{1,2}}(:\d{{1,2}}(\.\d+)?)?( ?(Z|[+-]\d\d:\d\d)| [A-Z][A-Za-z_/]+)?)?\s*'
    ) THEN {failed}
    -- A zone after it means nothing.
    WHEN typeof(x) = 'VARCHAR' THEN date_trunc('millisecond', {cast}(
        regexp_replace(CAST(x AS VARCHAR), '(:\S*?) ?(Z|[+-]\d\d:\d\d| [A-Z][A-Za-z_/]+)\s*$', '\1') AS TIMESTAMP
    ) + INTERVAL 500 MICROSECONDS)
    ELSE {cast}(x AS TIMESTAMP) END;
CREATE MACRO {name}_timestamptz(x) AS CASE WHEN typeof(x) = 'VARCHAR'
    THEN error('NOT_SUPPORTED: CAST of varchar to timestamp with time zone is not modelled by the embedded Athena')
    ELSE {cast}(x AS TIMESTAMP WITH TIME ZONE) END;
