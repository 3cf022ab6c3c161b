-- Trino's functions that DuckDB lacks or implements differently. Parameters are typed, to reject what Trino rejects.
-- A call of <name> runs trino_<name> if that exists: see calls.py.
-- Errors begin with Trino's code.
-- Source: https://trino.io/docs/current/functions.html

-- DuckDB cannot choose an overload by the type of an aggregate, so a function whose result type depends on its argument
-- also has one macro per type: trino_<name>_<type>.

-- Time zones. A timestamp without one is in the session's zone, UTC as in Athena.
CREATE MACRO trino_instant(x) AS CASE WHEN typeof(x) LIKE 'TIMESTAMP%' THEN CAST(x AS TIMESTAMP WITH TIME ZONE)
    ELSE error('TYPE_MISMATCH: Type of value must be a time or timestamp with or without time zone (actual ' || typeof(x) || ')') END;
CREATE MACRO trino_local(zone, x) AS timezone(zone, trino_instant(x));
CREATE MACRO trino_with_timezone(x TIMESTAMP, zone) AS timezone(zone, x);

-- Arithmetic.
CREATE MACRO trino_divide_double(a, b) AS CAST(a AS DOUBLE) / CAST(b AS DOUBLE);
CREATE MACRO trino_divide(a, b) AS CASE
    WHEN (typeof(a) LIKE 'DECIMAL%' OR typeof(b) LIKE 'DECIMAL%')
        AND typeof(a) NOT IN ('DOUBLE', 'FLOAT') AND typeof(b) NOT IN ('DOUBLE', 'FLOAT')
    THEN error('NOT_SUPPORTED: Division of decimals rounds in Trino, which the embedded Athena does not model; cast to double')
    ELSE a // b END;
CREATE MACRO trino_plain(a, b) AS typeof(a) NOT LIKE 'DATE' AND typeof(a) NOT LIKE 'TIME%' AND typeof(a) NOT LIKE 'INTERVAL'
    AND typeof(b) NOT LIKE 'DATE' AND typeof(b) NOT LIKE 'TIME%' AND typeof(b) NOT LIKE 'INTERVAL';
CREATE MACRO trino_minus(a, b) AS CASE WHEN trino_plain(a, b) THEN a - b
    ELSE error('NOT_SUPPORTED: Subtraction of dates and times gives intervals, which the embedded Athena does not model; use date_diff') END;
CREATE MACRO trino_plus(a, b) AS CASE WHEN trino_plain(a, b) THEN a + b
    ELSE error('TYPE_MISMATCH: Cannot apply operator +; add an interval or use date_add') END;
CREATE MACRO trino_plus_interval_date(x, i) AS CASE WHEN CAST(CAST(x + i AS DATE) AS TIMESTAMP) = x + i THEN CAST(x + i AS DATE)
        ELSE error('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date') END;
CREATE MACRO trino_plus_interval_timestamp(x, i) AS x + i;
CREATE MACRO trino_plus_interval(x DATE, i INTERVAL) AS CASE WHEN CAST(CAST(x + i AS DATE) AS TIMESTAMP) = x + i THEN CAST(x + i AS DATE)
        ELSE error('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date') END,
    (x TIMESTAMP, i INTERVAL) AS x + i, (x TIMESTAMP WITH TIME ZONE, i INTERVAL) AS x + i, (x INTERVAL, i INTERVAL) AS x + i;
CREATE MACRO trino_concat(a VARCHAR, b VARCHAR) AS a || b;
CREATE MACRO trino_ceil_bigint(x) AS x;
CREATE MACRO trino_ceil_double(x) AS ceil(CAST(x AS DOUBLE));
CREATE MACRO trino_ceil(x INTEGER) AS x, (x BIGINT) AS x, (x HUGEINT) AS x, (x DOUBLE) AS ceil(x);
CREATE MACRO trino_floor_bigint(x) AS x;
CREATE MACRO trino_floor_double(x) AS floor(CAST(x AS DOUBLE));
CREATE MACRO trino_floor(x INTEGER) AS x, (x BIGINT) AS x, (x HUGEINT) AS x, (x DOUBLE) AS floor(x);
CREATE MACRO trino_truncate(x DOUBLE) AS trunc(x);
CREATE MACRO trino_mod(a, b) AS a % b;
CREATE MACRO trino_log(base DOUBLE, x DOUBLE) AS ln(x) / ln(base);
CREATE MACRO trino_e() AS exp(1.0::DOUBLE);

-- Text.
CREATE MACRO trino_length(x VARCHAR) AS length(x);
CREATE MACRO trino_lower(x VARCHAR) AS lower(x);
CREATE MACRO trino_upper(x VARCHAR) AS upper(x);
CREATE MACRO trino_reverse(x VARCHAR) AS reverse(x);
CREATE MACRO trino_replace(x VARCHAR, a VARCHAR) AS replace(x, a, ''), (x VARCHAR, a VARCHAR, b VARCHAR) AS replace(x, a, b);
CREATE MACRO trino_starts_with(x VARCHAR, a VARCHAR) AS starts_with(x, a);
CREATE MACRO trino_strpos(x VARCHAR, a VARCHAR) AS strpos(x, a);
CREATE MACRO trino_trim(x VARCHAR) AS trim(x, E' \t\n\r\f\v'), (x VARCHAR, a VARCHAR) AS trim(x, a);
CREATE MACRO trino_ltrim(x VARCHAR) AS ltrim(x, E' \t\n\r\f\v'), (x VARCHAR, a VARCHAR) AS ltrim(x, a);
CREATE MACRO trino_rtrim(x VARCHAR) AS rtrim(x, E' \t\n\r\f\v'), (x VARCHAR, a VARCHAR) AS rtrim(x, a);
CREATE MACRO trino_lpad(x VARCHAR, n BIGINT, a VARCHAR) AS lpad(x, CAST(n AS INTEGER), a);
CREATE MACRO trino_rpad(x VARCHAR, n BIGINT, a VARCHAR) AS rpad(x, CAST(n AS INTEGER), a);
CREATE MACRO trino_substr(x VARCHAR, start BIGINT) AS CASE WHEN start = 0 OR -start > length(x) THEN '' ELSE substr(x, start) END,
    (x VARCHAR, start BIGINT, n BIGINT) AS CASE WHEN start = 0 OR -start > length(x) OR n <= 0 THEN '' ELSE substr(x, start, n) END;
CREATE MACRO trino_split(x VARCHAR, a VARCHAR) AS string_split(x, a);
CREATE MACRO trino_split_part(x VARCHAR, a VARCHAR, n BIGINT) AS CASE
    WHEN n < 1 THEN error('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero')
    ELSE list_extract(string_split(x, a), n) END;
CREATE MACRO trino_regexp_like(x VARCHAR, p VARCHAR) AS regexp_matches(x, p);
CREATE MACRO trino_regexp_extract(x VARCHAR, p VARCHAR) AS CASE WHEN regexp_matches(x, p) THEN regexp_extract(x, p) END,
    (x VARCHAR, p VARCHAR, n) AS CASE WHEN regexp_matches(x, p) THEN regexp_extract(x, p, n) END;
CREATE MACRO trino_regexp_replace(x VARCHAR, p VARCHAR) AS regexp_replace(x, p, '', 'g'),
    (x VARCHAR, p VARCHAR, r VARCHAR) AS CASE
        WHEN contains(r, '\') THEN error('NOT_SUPPORTED: A backslash in the replacement of regexp_replace is not modelled by the embedded Athena')
        ELSE regexp_replace(x, p, regexp_replace(r, '\$(\d)', '\\\1', 'g'), 'g') END;
CREATE MACRO trino_json_extract_scalar(x VARCHAR, path VARCHAR) AS CASE
    WHEN json_type(x, path) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN json_extract_string(x, path) END;
CREATE MACRO trino_levenshtein_distance(a VARCHAR, b VARCHAR) AS levenshtein(a, b);
CREATE MACRO trino_chr(x BIGINT) AS chr(CAST(x AS INTEGER));
CREATE MACRO trino_codepoint(x VARCHAR) AS unicode(x);

-- Dates and times.
CREATE MACRO trino_interval(unit VARCHAR, n BIGINT) AS CASE unit
    WHEN 'millisecond' THEN to_milliseconds(n) WHEN 'second' THEN to_seconds(n) WHEN 'minute' THEN to_minutes(n)
    WHEN 'hour' THEN to_hours(n) WHEN 'day' THEN to_days(CAST(n AS INTEGER)) WHEN 'week' THEN to_weeks(CAST(n AS INTEGER))
    WHEN 'month' THEN to_months(CAST(n AS INTEGER)) WHEN 'quarter' THEN to_quarters(CAST(n AS INTEGER))
    WHEN 'year' THEN to_years(CAST(n AS INTEGER))
    ELSE error('INVALID_FUNCTION_ARGUMENT: ''' || unit || ''' is not a valid unit') END;
CREATE MACRO trino_date_add_date(unit, n, x) AS trino_plus_interval_date(x, trino_interval(lower(unit), n));
CREATE MACRO trino_date_add_timestamp(unit, n, x) AS x + trino_interval(lower(unit), n);
CREATE MACRO trino_date_add(unit VARCHAR, n BIGINT, x DATE) AS trino_date_add_date(unit, n, x),
    (unit VARCHAR, n BIGINT, x TIMESTAMP) AS x + trino_interval(lower(unit), n),
    (unit VARCHAR, n BIGINT, x TIMESTAMP WITH TIME ZONE) AS x + trino_interval(lower(unit), n);
CREATE MACRO trino_date_diff(unit, a, b) AS datesub(lower(unit), a, b);
CREATE MACRO trino_date_trunc_date(unit, x) AS CAST(date_trunc(lower(unit), x) AS DATE);
CREATE MACRO trino_date_trunc_timestamp(unit, x) AS date_trunc(lower(unit), x);
CREATE MACRO trino_date_trunc(unit VARCHAR, x DATE) AS CAST(date_trunc(lower(unit), x) AS DATE),
    (unit VARCHAR, x TIMESTAMP) AS date_trunc(lower(unit), x),
    (unit VARCHAR, x TIMESTAMP WITH TIME ZONE) AS date_trunc(lower(unit), x);
CREATE MACRO trino_millisecond(x) AS millisecond(x) % 1000;
CREATE MACRO trino_day_of_week(x) AS isodow(x);
CREATE MACRO trino_day_of_year(x) AS dayofyear(x);
CREATE MACRO trino_year_of_week(x) AS isoyear(x);
CREATE MACRO trino_last_day_of_month(x) AS last_day(x);
CREATE MACRO trino_from_unixtime(x DOUBLE) AS to_timestamp(x);
CREATE MACRO trino_to_unixtime(x) AS epoch(x);
CREATE MACRO trino_from_iso8601_date(x VARCHAR) AS CAST(x AS DATE);
CREATE MACRO trino_from_iso8601_timestamp(x VARCHAR) AS CASE
    WHEN regexp_full_match(x, '\d{4}-\d\d-\d\d(T(\d\d(:\d\d(:\d\d([.,]\d+)?)?)?)?Z?)?') THEN CAST(x AS TIMESTAMP WITH TIME ZONE)
    ELSE error('NOT_SUPPORTED: from_iso8601_timestamp is modelled by the embedded Athena for UTC only: ' || x) END;
CREATE MACRO trino_to_iso8601(x) AS CASE typeof(x) WHEN 'DATE' THEN CAST(x AS VARCHAR)
    WHEN 'TIMESTAMP' THEN strftime(x, '%Y-%m-%dT%H:%M:%S.%g') ELSE strftime(x, '%Y-%m-%dT%H:%M:%S.%gZ') END;
CREATE MACRO trino_strftime(x, f) AS strftime(x, f);
CREATE MACRO trino_strptime(x VARCHAR, f) AS strptime(x, f);

-- Arrays.
CREATE MACRO trino_cardinality(x) AS CASE WHEN typeof(x) LIKE '%[]' OR typeof(x) LIKE 'MAP%' THEN len(x)
    ELSE error('FUNCTION_NOT_FOUND: Unexpected parameters for function cardinality. Expected: cardinality(array(E)), cardinality(map(K,V))') END;
CREATE MACRO trino_contains(x, a) AS CASE WHEN list_contains(x, a) THEN true WHEN a IS NULL OR len(x) > list_count(x) THEN NULL ELSE list_contains(x, a) END;
CREATE MACRO trino_element_at(x, i) AS CASE WHEN typeof(x) LIKE '%[]' AND CAST(i AS VARCHAR) = '0' THEN error('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') ELSE x[i] END;
CREATE MACRO trino_subscript(x, i) AS CASE
    WHEN typeof(x) NOT LIKE '%[]' THEN error('NOT_SUPPORTED: A subscript of a map or row is not modelled by the embedded Athena; use element_at')
    WHEN i < 1 OR i > len(x) THEN error('INVALID_FUNCTION_ARGUMENT: Array subscript must be between 1 and ' || len(x) || ': ' || i)
    ELSE x[i] END;
CREATE MACRO trino_array_join(x, a) AS array_to_string(x, a);
CREATE MACRO trino_array_distinct(x) AS list_filter(x, lambda e, i: list_position(x, e) = i);
CREATE MACRO trino_array_max(x) AS CASE WHEN len(x) = list_count(x) THEN list_max(x) END;
CREATE MACRO trino_array_min(x) AS CASE WHEN len(x) = list_count(x) THEN list_min(x) END;
CREATE MACRO trino_array_sort(x) AS list_sort(x, 'ASC', 'NULLS LAST');
CREATE MACRO trino_array_position(x, a) AS coalesce(CAST(list_position(x, a) AS BIGINT), CASE WHEN x IS NOT NULL AND a IS NOT NULL THEN 0 END);
CREATE MACRO trino_slice(x, start, n) AS CASE WHEN start < 1 THEN error('NOT_SUPPORTED: slice is modelled by the embedded Athena from 1 on') ELSE x[start:start + n - 1] END;
CREATE MACRO trino_flatten(x) AS flatten(x);
CREATE MACRO trino_sequence(a BIGINT, b BIGINT) AS CASE WHEN a <= b THEN generate_series(a, b) ELSE generate_series(a, b, -1) END,
    (a DATE, b DATE) AS CAST(generate_series(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), INTERVAL 1 DAY) AS DATE[]),
    (a BIGINT, b BIGINT, step BIGINT) AS generate_series(a, b, step),
    (a DATE, b DATE, step INTERVAL) AS CAST(generate_series(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), step) AS DATE[]),
    (a TIMESTAMP, b TIMESTAMP, step INTERVAL) AS generate_series(a, b, step);
CREATE MACRO trino_any_true(x) AS CASE WHEN list_contains(x, true) THEN true WHEN len(x) > list_count(x) THEN NULL WHEN x IS NOT NULL THEN false END;
CREATE MACRO trino_all_true(x) AS CASE WHEN list_contains(x, false) THEN false WHEN len(x) > list_count(x) THEN NULL WHEN x IS NOT NULL THEN true END;
CREATE MACRO trino_none_true(x) AS NOT trino_any_true(x);
