"""CAST and TRY_CAST as Trino does them: macros for each target, strict ones and ones that give null.

Source: https://trino.io/docs/current/functions/conversion.html
"""

from __future__ import annotations

_CASTS = """
CREATE MACRO {name}_varchar(x) AS CASE
    WHEN typeof(x) = 'TIMESTAMP' THEN strftime(CAST(CAST(x AS VARCHAR) AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
    WHEN typeof(x) = 'TIMESTAMP WITH TIME ZONE'
        THEN strftime(timezone('UTC', CAST(CAST(x AS VARCHAR) AS TIMESTAMP WITH TIME ZONE)), '%Y-%m-%d %H:%M:%S.%g UTC')
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT')
        THEN error('NOT_SUPPORTED: The text of a double (1.0E0) is not modelled by the embedded Athena; cast to decimal first')
    WHEN typeof(x) LIKE '%[]' OR typeof(x) LIKE 'MAP%' OR typeof(x) LIKE 'STRUCT%'
        THEN error('TYPE_MISMATCH: Cannot cast ' || typeof(x) || ' to varchar')
    ELSE CAST(x AS VARCHAR) END;
CREATE MACRO {name}_bigint(x VARCHAR) AS CASE WHEN x IS NULL THEN NULL WHEN regexp_full_match(x, '[+-]?\\d+') THEN {cast}(x AS BIGINT)
        ELSE {failed} END,
    (x BIGINT) AS x, (x HUGEINT) AS {cast}(x AS BIGINT), (x BOOLEAN) AS CAST(x AS BIGINT),
    (x DOUBLE) AS {cast}(round(x) AS BIGINT);
CREATE MACRO {name}_double(x VARCHAR) AS CASE WHEN x IS NULL THEN NULL
        WHEN regexp_full_match(x, '\\s*([+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?|NaN|[+-]?Infinity)\\s*') THEN {cast}(x AS DOUBLE)
        ELSE {failed} END,
    (x BIGINT) AS CAST(x AS DOUBLE), (x HUGEINT) AS CAST(x AS DOUBLE), (x BOOLEAN) AS CAST(x AS DOUBLE),
    (x DOUBLE) AS x;
CREATE MACRO {name}_boolean(x VARCHAR) AS CASE WHEN x IS NULL THEN NULL
        WHEN lower(x) IN ('true', 't', '1', 'false', 'f', '0') THEN {cast}(x AS BOOLEAN) ELSE {failed} END,
    (x BOOLEAN) AS x, (x BIGINT) AS x <> 0, (x DOUBLE) AS x <> 0;
CREATE MACRO {name}_date(x VARCHAR) AS CASE WHEN x IS NULL THEN NULL WHEN regexp_full_match(x, '\\s*\\d{{4}}-\\d{{1,2}}-\\d{{1,2}}\\s*')
        THEN {cast}(x AS DATE) ELSE {failed} END,
    (x DATE) AS x, (x TIMESTAMP) AS CAST(x AS DATE), (x TIMESTAMP WITH TIME ZONE) AS CAST(timezone('UTC', x) AS DATE);
CREATE MACRO {name}_timestamp(x VARCHAR) AS CASE WHEN x IS NULL THEN NULL
        WHEN regexp_full_match(x, '\\s*\\d{{4}}-\\d{{1,2}}-\\d{{1,2}}( \\d{{1,2}}:\\d{{1,2}}(:\\d{{1,2}}(\\.\\d+)?)?)?\\s*')
        THEN date_trunc('millisecond', {cast}(x AS TIMESTAMP) + INTERVAL 500 MICROSECONDS) ELSE {failed} END,
    (x DATE) AS CAST(x AS TIMESTAMP), (x TIMESTAMP) AS x, (x TIMESTAMP WITH TIME ZONE) AS timezone('UTC', x);
CREATE MACRO {name}_timestamptz(x TIMESTAMP) AS timezone('UTC', x), (x DATE) AS timezone('UTC', CAST(x AS TIMESTAMP)),
    (x TIMESTAMP WITH TIME ZONE) AS x;
"""

STRICT = "trino_cast"
TRYING = "trino_try_cast"


def cast_macros() -> str:
    """Return the statements that define the macros: `trino_cast_<type>` and `trino_try_cast_<type>`."""
    failed = "error('INVALID_CAST_ARGUMENT: Cannot cast ''' || x || ''' to the type that is asked for')"
    return _CASTS.format(name=STRICT, cast="CAST", failed=failed) + _CASTS.format(
        name=TRYING, cast="TRY_CAST", failed="NULL"
    )
