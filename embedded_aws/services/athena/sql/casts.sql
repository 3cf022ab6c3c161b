-- CAST and TRY_CAST: one macro per target type. {name} is the macro prefix, {cast} DuckDB's cast, {failed} the result for
-- text that Trino rejects, though DuckDB may accept it.
-- Source: https://trino.io/docs/current/functions/conversion.html

CREATE MACRO {name}_varchar(x) AS CASE
    WHEN typeof(x) = 'TIMESTAMP' THEN strftime(CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
    WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE'
        THEN strftime(timezone('UTC', CAST(CAST(x AS VARCHAR) AS TIMESTAMP WITH TIME ZONE)), '%Y-%m-%d %H:%M:%S.%g UTC')
    WHEN typeof(x) = 'DOUBLE' THEN trino_double_text(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE))
    WHEN typeof(x) = 'FLOAT'
        THEN trino_refuse('NOT_SUPPORTED: The text of a real (1.0E0) is not modelled by the embedded Athena; cast to double first')
    WHEN typeof(x) LIKE '%[]' OR typeof(x) LIKE 'MAP%' OR typeof(x) LIKE 'STRUCT%'
        THEN trino_refuse('TYPE_MISMATCH: Cannot cast ' || typeof(x) || ' to varchar')
    WHEN typeof(x) = 'BLOB' THEN trino_refuse('TYPE_MISMATCH: Cannot cast varbinary to varchar')
    ELSE CAST(x AS VARCHAR) END;
-- Text is cut to a length; anything else must fit.
CREATE MACRO {name}_varchar_of(x, n) AS CASE
    WHEN typeof(x) <> 'VARCHAR' AND length({name}_varchar(x)) > n THEN {too_long}
    ELSE left({name}_varchar(x), n) END;
CREATE MACRO {name}_bigint(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '[+-]?\d+') THEN {failed}
    -- Trino rounds half away from zero, DuckDB to even.
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN coalesce(TRY_CAST(round(TRY_CAST(x AS DOUBLE)) AS BIGINT), CASE
        -- A real that is too large is cut off.
        WHEN typeof(x) = 'FLOAT' AND NOT isnan(TRY_CAST(x AS DOUBLE))
        THEN CASE WHEN TRY_CAST(x AS DOUBLE) > 0 THEN 9223372036854775807 ELSE -9223372036854775808 END
        ELSE {no_bigint} END)
    ELSE {cast}(x AS BIGINT) END;
-- A type of fewer bits than bigint, from its lowest to its highest value.
CREATE MACRO {name}_narrow(x, target, lowest, highest) AS CASE
    WHEN round(TRY_CAST(x AS DOUBLE)) NOT BETWEEN lowest AND highest THEN {beyond}
    ELSE {name}_bigint(x) END;
CREATE MACRO {name}_double(x) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(
        CAST(x AS VARCHAR), '\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|NaN|[+-]?Infinity)\s*'
    ) THEN {failed}
    ELSE {cast}(x AS DOUBLE) END;
-- Beyond its range, a real is infinite.
CREATE MACRO {name}_real(x) AS coalesce(TRY_CAST({name}_double(x) AS FLOAT), CASE
    WHEN {name}_double(x) > 0 THEN CAST('Infinity' AS FLOAT) WHEN {name}_double(x) < 0 THEN CAST('-Infinity' AS FLOAT) END);
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
    THEN trino_refuse('NOT_SUPPORTED: CAST of varchar to timestamp with time zone is not modelled by the embedded Athena')
    ELSE {cast}(x AS TIMESTAMP WITH TIME ZONE) END;
-- JSON. x is its text, which may begin with a space: see json_values.py.
CREATE MACRO {name}_json_bigint(x) AS CASE
    WHEN x IS NULL OR json_type(x) = 'NULL' THEN NULL
    WHEN json_type(x) = 'BOOLEAN' THEN CASE json_extract_string(x, '$') WHEN 'true' THEN 1 ELSE 0 END
    WHEN json_type(x) IN ('UBIGINT', 'BIGINT') THEN {cast}(json_extract_string(x, '$') AS BIGINT)
    WHEN json_type(x) = 'DOUBLE' THEN {cast}(round(TRY_CAST(json_extract_string(x, '$') AS DOUBLE)) AS BIGINT)
    WHEN json_type(x) = 'VARCHAR' THEN {name}_bigint(json_extract_string(x, '$'))
    ELSE {failed} END;
CREATE MACRO {name}_json_double(x) AS CASE
    WHEN x IS NULL OR json_type(x) = 'NULL' THEN NULL
    WHEN json_type(x) = 'BOOLEAN' THEN CASE json_extract_string(x, '$') WHEN 'true' THEN 1e0 ELSE 0e0 END
    WHEN json_type(x) IN ('UBIGINT', 'BIGINT', 'DOUBLE', 'VARCHAR') THEN {name}_double(json_extract_string(x, '$'))
    ELSE {failed} END;
CREATE MACRO {name}_json_boolean(x) AS CASE
    WHEN x IS NULL OR json_type(x) = 'NULL' THEN NULL
    WHEN json_type(x) IN ('UBIGINT', 'BIGINT', 'DOUBLE') THEN TRY_CAST(json_extract_string(x, '$') AS DOUBLE) <> 0
    WHEN json_type(x) IN ('BOOLEAN', 'VARCHAR') THEN {name}_boolean(json_extract_string(x, '$'))
    ELSE {failed} END;
CREATE MACRO {name}_json_varchar(x) AS CASE
    WHEN x IS NULL OR json_type(x) = 'NULL' THEN NULL
    WHEN json_type(x) IN ('UBIGINT', 'BIGINT', 'BOOLEAN', 'VARCHAR') THEN json_extract_string(x, '$')
    WHEN json_type(x) = 'DOUBLE' THEN trino_refuse('NOT_SUPPORTED: The text of a JSON number with a point (1.5E0) is not modelled by the embedded Athena; cast to double first')
    ELSE {failed} END;
CREATE MACRO {name}_json_elements(x) AS CASE
    WHEN x IS NULL OR json_type(x) = 'NULL' THEN NULL
    WHEN json_type(x) = 'ARRAY' THEN list_transform(json_extract(x, '$[*]'), lambda e: trino_json_like(e, x))
    ELSE {failed} END;
CREATE MACRO {name}_json_entries(x) AS CASE
    WHEN x IS NULL OR json_type(x) = 'NULL' THEN NULL
    WHEN starts_with(CAST(x AS VARCHAR), ' ') AND coalesce(json_keys(x) <> list_sort(json_keys(x)), false)
    THEN trino_refuse('NOT_SUPPORTED: CAST to a map of parsed JSON whose keys are not sorted is not modelled by the embedded Athena; use json_extract(x, ''$'') instead of json_parse(x)')
    WHEN json_type(x) = 'OBJECT' THEN map(
        map_keys(CAST(x AS MAP(VARCHAR, JSON))), list_transform(map_values(CAST(x AS MAP(VARCHAR, JSON))), lambda e: trino_json_like(e, x))
    )
    ELSE {failed} END;
CREATE MACRO {name}_json_row(x, n) AS CASE
    WHEN x IS NULL OR json_type(x) = 'NULL' THEN NULL
    WHEN json_type(x) = 'OBJECT' OR json_type(x) = 'ARRAY' AND json_array_length(x) = n THEN x
    ELSE {failed} END;
