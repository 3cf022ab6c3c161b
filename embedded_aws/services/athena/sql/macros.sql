-- Trino's functions that DuckDB lacks or implements differently. Parameters are typed, to reject what Trino rejects.
-- A call of <name> runs trino_<name> if that exists: see calls.py.
-- Errors begin with Trino's code.
-- Source: https://trino.io/docs/current/functions.html

-- DuckDB cannot choose an overload by the type of an aggregate, so a function whose result type depends on its argument
-- also has one macro per type: trino_<name>_<type>.

-- Time zones. A timestamp without one is in the session's zone, UTC as in Athena.
CREATE MACRO trino_instant(x) AS CASE WHEN typeof(x) LIKE 'TIMESTAMP%' THEN CAST(x AS TIMESTAMP WITH TIME ZONE)
    ELSE trino_refuse('TYPE_MISMATCH: Type of value must be a time or timestamp with or without time zone (actual ' || typeof(x) || ')') END;
CREATE MACRO trino_with_timezone(x TIMESTAMP, zone) AS timezone(zone, x);

-- Arithmetic.
CREATE MACRO trino_divide_double(a, b) AS CAST(a AS DOUBLE) / CAST(b AS DOUBLE);
CREATE MACRO trino_divide(a, b) AS CASE
    WHEN (typeof(a) LIKE 'DECIMAL%' OR typeof(b) LIKE 'DECIMAL%')
        AND typeof(a) NOT IN ('DOUBLE', 'FLOAT') AND typeof(b) NOT IN ('DOUBLE', 'FLOAT')
    THEN trino_refuse('NOT_SUPPORTED: Division of decimals rounds in Trino, which the embedded Athena does not model; cast to double')
    ELSE a // b END;
CREATE MACRO trino_unscaled(x) AS CAST(replace(CAST(x AS VARCHAR), '.', '') AS HUGEINT);
CREATE MACRO trino_half_up(a, b) AS (2 * abs(a) + abs(b)) // (2 * abs(b)) * CASE WHEN (a < 0) <> (b < 0) THEN -1 ELSE 1 END;
CREATE MACRO trino_divide_decimal(a, b, shift) AS CASE WHEN b = 0 THEN trino_fail('DIVISION_BY_ZERO: Division by zero')
    ELSE trino_half_up(a * CAST('1e' || shift AS HUGEINT), CAST(b AS HUGEINT)) END;
CREATE MACRO trino_remainder(a, b) AS CASE WHEN b = 0 THEN trino_fail('DIVISION_BY_ZERO: Division by zero') ELSE a - b * CAST(trunc(CAST(a AS DOUBLE) / CAST(b AS DOUBLE)) AS DECIMAL(38, 0)) END;
CREATE MACRO trino_plain(a, b) AS typeof(a) NOT LIKE 'DATE' AND typeof(a) NOT LIKE 'TIME%' AND typeof(a) NOT LIKE 'INTERVAL'
    AND typeof(b) NOT LIKE 'DATE' AND typeof(b) NOT LIKE 'TIME%' AND typeof(b) NOT LIKE 'INTERVAL';
CREATE MACRO trino_minus(a, b) AS CASE WHEN trino_plain(a, b) THEN a - b
    ELSE trino_refuse('NOT_SUPPORTED: Subtraction of dates and times gives intervals, which the embedded Athena does not model; use date_diff') END;
CREATE MACRO trino_span(a, b) AS CAST(a AS TIMESTAMP) - CAST(b AS TIMESTAMP);
CREATE MACRO trino_plus(a, b) AS CASE WHEN trino_plain(a, b) THEN a + b
    ELSE trino_refuse('TYPE_MISMATCH: Cannot apply operator +; add an interval or use date_add') END;
CREATE MACRO trino_plus_interval_date(x, i) AS CASE WHEN CAST(CAST(x + i AS DATE) AS TIMESTAMP) <> x + i
        THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date') ELSE CAST(x + i AS DATE) END;
CREATE MACRO trino_plus_interval_timestamp(x, i) AS x + i;
CREATE MACRO trino_plus_interval(x DATE, i INTERVAL) AS CASE WHEN CAST(CAST(x + i AS DATE) AS TIMESTAMP) <> x + i
        THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date') ELSE CAST(x + i AS DATE) END,
    (x TIMESTAMP, i INTERVAL) AS x + i, (x TIMESTAMP WITH TIME ZONE, i INTERVAL) AS x + i, (x INTERVAL, i INTERVAL) AS x + i;
CREATE MACRO trino_concat(a VARCHAR, b VARCHAR) AS a || b;
CREATE MACRO trino_ceil_bigint(x) AS x;
CREATE MACRO trino_ceil_double(x) AS ceil(CAST(x AS DOUBLE));
CREATE MACRO trino_ceil(x INTEGER) AS x, (x BIGINT) AS x, (x HUGEINT) AS x, (x DOUBLE) AS ceil(x);
CREATE MACRO trino_floor_bigint(x) AS x;
CREATE MACRO trino_floor_double(x) AS floor(CAST(x AS DOUBLE));
CREATE MACRO trino_floor(x INTEGER) AS x, (x BIGINT) AS x, (x HUGEINT) AS x, (x DOUBLE) AS floor(x);
CREATE MACRO trino_truncate(x DOUBLE) AS trunc(x);
CREATE MACRO trino_bucket(x, a, b, n) AS CASE WHEN x < a THEN 0 WHEN x >= b THEN n + 1 ELSE CAST(floor(n * (x - a) / (b - a)) AS BIGINT) + 1 END;
CREATE MACRO trino_width_bucket(x DOUBLE, a DOUBLE, b DOUBLE, n BIGINT) AS CASE
    WHEN n <= 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT: bucketCount must be greater than 0')
    WHEN a = b THEN trino_fail('INVALID_FUNCTION_ARGUMENT: bounds cannot equal each other')
    WHEN x IS NULL THEN NULL
    WHEN a < b THEN trino_bucket(x, a, b, n) ELSE n - trino_bucket(x, b, a, n) + 1 END;
CREATE MACRO trino_mod(a, b) AS a % b;
CREATE MACRO trino_log(base DOUBLE, x DOUBLE) AS ln(x) / ln(base);
-- DuckDB's is a power: 3.0000000000000004 for 27.
CREATE MACRO trino_cbrt(x DOUBLE) AS CASE
    WHEN x IS NULL OR NOT isfinite(x) THEN x WHEN round(cbrt(x)) * round(cbrt(x)) * round(cbrt(x)) = x THEN round(cbrt(x))
    ELSE trino_refuse('NOT_SUPPORTED: The last digit of a cube root is not modelled by the embedded Athena') END;
CREATE MACRO trino_bitwise_and(a BIGINT, b BIGINT) AS a & b;
CREATE MACRO trino_bitwise_or(a BIGINT, b BIGINT) AS a | b;
CREATE MACRO trino_bitwise_xor(a BIGINT, b BIGINT) AS xor(a, b);
CREATE MACRO trino_bitwise_not(a BIGINT) AS ~a;
CREATE MACRO trino_nan() AS CAST('NaN' AS DOUBLE);
CREATE MACRO trino_infinity() AS CAST('Infinity' AS DOUBLE);
CREATE MACRO trino_is_nan(x DOUBLE) AS isnan(x);
CREATE MACRO trino_is_finite(x DOUBLE) AS isfinite(x);
CREATE MACRO trino_is_infinite(x DOUBLE) AS isinf(x);
CREATE MACRO trino_e() AS exp(1.0::DOUBLE);

-- Text.
-- format: padding, and commas between thousands.
CREATE MACRO trino_padded(x, n, mode) AS CASE
    WHEN length(x) >= n THEN x WHEN mode = 'left' THEN rpad(x, n, ' ') WHEN mode = 'right' OR x = 'null' THEN lpad(x, n, ' ')
    WHEN x[1] = '-' THEN '-' || lpad(x[2:], n - 1, '0') ELSE lpad(x, n, '0') END;
CREATE MACRO trino_grouped(x) AS CASE WHEN x[1] = '-' THEN '-' ELSE '' END
    || format('{:,}', CAST(ltrim(split_part(x, '.', 1), '-') AS HUGEINT)) || CASE WHEN contains(x, '.') THEN '.' || split_part(x, '.', 2) ELSE '' END;
CREATE MACRO trino_length(x VARCHAR) AS length(x);
CREATE MACRO trino_lower(x VARCHAR) AS lower(x);
CREATE MACRO trino_upper(x VARCHAR) AS array_to_string(list_transform(string_split(x, 'ß'), lambda part: upper(part)), 'ß');
CREATE MACRO trino_reverse(x VARCHAR) AS reverse(x);
CREATE MACRO trino_replace(x VARCHAR, a VARCHAR) AS replace(x, a, ''), (x VARCHAR, a VARCHAR, b VARCHAR) AS CASE
    -- Trino puts b around each character.
    WHEN a = '' THEN b || regexp_replace(x, '([\s\S])', '\1' || replace(b, '\', '\\'), 'g') ELSE replace(x, a, b) END;
-- Bytes. from_utf8 replaces what is no UTF-8 otherwise than DuckDB does.
CREATE MACRO trino_to_utf8(x VARCHAR) AS encode(x);
CREATE MACRO trino_from_utf8(x BLOB) AS CASE WHEN encode(decode(x, 'ignore')) <> x
    THEN trino_refuse('NOT_SUPPORTED: from_utf8 of bytes that are no UTF-8 is not modelled by the embedded Athena') ELSE decode(x) END;
CREATE MACRO trino_md5(x BLOB) AS unhex(md5(x));
CREATE MACRO trino_sha1(x BLOB) AS unhex(sha1(x));
CREATE MACRO trino_sha256(x BLOB) AS unhex(sha256(x));
CREATE MACRO trino_to_hex(x BLOB) AS hex(x);
CREATE MACRO trino_from_hex(x VARCHAR) AS CASE
    WHEN NOT regexp_full_match(x, '([0-9a-fA-F]{2})*') THEN trino_fail('INVALID_FUNCTION_ARGUMENT: invalid hexadecimal digits: ' || x)
    ELSE unhex(x) END;
CREATE MACRO trino_to_base64(x BLOB) AS base64(x);
CREATE MACRO trino_from_base64(x VARCHAR) AS CASE
    WHEN NOT regexp_full_match(x, '([0-9A-Za-z+/]{4})*([0-9A-Za-z+/]{2}(==)?|[0-9A-Za-z+/]{3}=?)?')
    THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Input is no base64: ' || x)
    ELSE from_base64(rpad(x, CAST((len(x) + 3) // 4 * 4 AS INTEGER), '=')) END;
CREATE MACRO trino_translate(x VARCHAR, a VARCHAR, b VARCHAR) AS translate(x, a, b);
CREATE MACRO trino_hamming_distance(a VARCHAR, b VARCHAR) AS CASE WHEN length(a) <> length(b)
    THEN trino_fail('INVALID_FUNCTION_ARGUMENT: The input strings to hamming_distance function must have the same length')
    WHEN a IS NOT NULL AND b IS NOT NULL
    THEN len(list_filter(list_zip(string_split(a, ''), string_split(b, '')), lambda p: p[1] <> p[2])) END;
CREATE MACRO trino_current_timezone() AS 'UTC';
CREATE MACRO trino_starts_with(x VARCHAR, a VARCHAR) AS starts_with(x, a);
CREATE MACRO trino_strpos(x VARCHAR, a VARCHAR) AS strpos(x, a);
CREATE MACRO trino_trim(x VARCHAR) AS trim(x, E' \t\n\r\f\v'), (x VARCHAR, a VARCHAR) AS trim(x, a);
CREATE MACRO trino_ltrim(x VARCHAR) AS ltrim(x, E' \t\n\r\f\v'), (x VARCHAR, a VARCHAR) AS ltrim(x, a);
CREATE MACRO trino_rtrim(x VARCHAR) AS rtrim(x, E' \t\n\r\f\v'), (x VARCHAR, a VARCHAR) AS rtrim(x, a);
CREATE MACRO trino_pad_length(n, a) AS CASE
    WHEN n NOT BETWEEN 0 AND 2147483647
    THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Target length must be in the range [0..2147483647]')
    WHEN a = '' THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Padding string must not be empty')
    ELSE CAST(n AS INTEGER) END;
CREATE MACRO trino_lpad(x VARCHAR, n BIGINT, a VARCHAR) AS CASE WHEN x IS NOT NULL THEN lpad(x, trino_pad_length(n, a), a) END;
CREATE MACRO trino_rpad(x VARCHAR, n BIGINT, a VARCHAR) AS CASE WHEN x IS NOT NULL THEN rpad(x, trino_pad_length(n, a), a) END;
CREATE MACRO trino_substr(x VARCHAR, start BIGINT) AS CASE WHEN start = 0 OR -start > length(x) THEN '' ELSE substr(x, start) END,
    (x VARCHAR, start BIGINT, n BIGINT) AS CASE WHEN start = 0 OR -start > length(x) OR n <= 0 THEN '' ELSE substr(x, start, n) END;
CREATE MACRO trino_delimiter(a) AS CASE WHEN a = '' THEN trino_fail('INVALID_FUNCTION_ARGUMENT: The delimiter may not be the empty string') ELSE a END;
CREATE MACRO trino_split(x VARCHAR, a VARCHAR) AS string_split(x, trino_delimiter(a)),
    (x VARCHAR, a VARCHAR, n BIGINT) AS CASE
        WHEN n < 1 THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Limit must be positive')
        WHEN len(string_split(x, trino_delimiter(a))) <= n THEN string_split(x, a)
        ELSE list_append(string_split(x, a)[:n - 1], list_reduce(string_split(x, a)[n:], lambda l, r: l || a || r)) END;
CREATE MACRO trino_split_part(x VARCHAR, a VARCHAR, n BIGINT) AS CASE
    WHEN n < 1 THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero')
    ELSE list_extract(string_split(x, a), n) END;
-- In Trino, POSIX classes are Unicode's; RE2 has neither \p{Alpha} and the like nor lookarounds.
CREATE MACRO trino_pattern(p) AS CASE WHEN contains(p, '[:')
    THEN trino_refuse('NOT_SUPPORTED: A POSIX class in a regular expression is not modelled by the embedded Athena; write [A-Za-z] or \p{L}')
    WHEN regexp_matches(p, '\(\?<?[=!]|\(\?<[A-Za-z]|\\p\{[A-Z][a-z][a-z]')
    THEN trino_refuse('NOT_SUPPORTED: A lookaround, a named group or a named class in a regular expression is not modelled by the embedded Athena')
    ELSE p END;
CREATE MACRO trino_regexp_like(x VARCHAR, p VARCHAR) AS regexp_matches(x, trino_pattern(p));
CREATE MACRO trino_regexp_extract(x VARCHAR, p VARCHAR) AS CASE WHEN regexp_matches(x, trino_pattern(p)) THEN regexp_extract(x, p) END;
CREATE MACRO trino_group(x VARCHAR, p VARCHAR, n) AS CASE WHEN regexp_matches(x, trino_pattern(p)) THEN regexp_extract(x, p, n) END;
-- A group that may be missing from a match is NULL in Trino and '' in DuckDB.
CREATE MACRO trino_group_or_null(x VARCHAR, p VARCHAR, n) AS nullif(trino_group(x, p, n), '');
CREATE MACRO trino_group_unless_empty(x VARCHAR, p VARCHAR, n) AS CASE WHEN trino_group(x, p, n) = ''
    THEN trino_refuse('NOT_SUPPORTED: Whether group ' || n || ' of a regular expression is empty or missing is not modelled by the embedded Athena') ELSE trino_group(x, p, n) END;
CREATE MACRO trino_no_group(x VARCHAR, p VARCHAR, n) AS CAST(CASE WHEN x IS NOT NULL
    THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Pattern has fewer groups. Cannot access group ' || n) END AS VARCHAR);
CREATE MACRO trino_regexp_extract_all(x VARCHAR, p VARCHAR) AS regexp_extract_all(x, trino_pattern(p));
CREATE MACRO trino_regexp_count(x VARCHAR, p VARCHAR) AS CAST(len(regexp_extract_all(x, trino_pattern(p))) AS BIGINT);
CREATE MACRO trino_regexp_split(x VARCHAR, p VARCHAR) AS CASE WHEN regexp_matches('', trino_pattern(p))
    THEN trino_refuse('NOT_SUPPORTED: regexp_split at a pattern that matches nothing is not modelled by the embedded Athena')
    ELSE string_split_regex(x, p) END;
CREATE MACRO trino_regexp_replace(x VARCHAR, p VARCHAR) AS regexp_replace(x, trino_pattern(p), '', 'g'),
    (x VARCHAR, p VARCHAR, r VARCHAR) AS CASE
        WHEN contains(r, '\') OR contains(r, '${') THEN trino_refuse('NOT_SUPPORTED: A backslash or ${name} in the replacement of regexp_replace is not modelled by the embedded Athena')
        ELSE regexp_replace(x, trino_pattern(p), regexp_replace(r, '\$(\d)', '\\\1', 'g'), 'g') END;
-- Trino keeps a number as it is written; DuckDB writes it anew, so all numbers of that value must be written alike.
CREATE MACRO trino_number_text(x, found) AS CASE WHEN len(list_filter(
        regexp_extract_all(x, '-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?'), lambda e: TRY_CAST(e AS DOUBLE) = TRY_CAST(found AS DOUBLE) AND e <> found
    )) > 0 THEN trino_refuse('NOT_SUPPORTED: The JSON number ' || found || ', which may be written otherwise, is not modelled by the embedded Athena') ELSE found END;
CREATE MACRO trino_valid_json(x) AS CASE WHEN json_valid(x) THEN x END;
CREATE MACRO trino_json_extract_scalar(x VARCHAR, path VARCHAR) AS CASE json_type(trino_valid_json(x), path)
    WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL WHEN 'NULL' THEN NULL
    WHEN 'DOUBLE' THEN trino_number_text(x, json_extract_string(trino_valid_json(x), path)) ELSE json_extract_string(trino_valid_json(x), path) END;
-- JSON: text that may begin with a space; see json_values.py.
CREATE MACRO trino_json_parse(x VARCHAR) AS CASE
    WHEN x IS NULL THEN NULL
    WHEN NOT json_valid(x) THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: ''' || x || '''')
    WHEN len(json_keys(x)) > len(list_distinct(json_keys(x)))
    THEN trino_refuse('NOT_SUPPORTED: json_parse of an object with a key twice is not modelled by the embedded Athena')
    ELSE CAST(' ' || x AS JSON) END;
CREATE MACRO trino_json_text(x) AS CASE WHEN json_valid(CAST(x AS VARCHAR)) THEN CAST(x AS VARCHAR) END;
CREATE MACRO trino_json_extract(x, path) AS CASE WHEN json_type(trino_json_text(x), path) IS NOT NULL THEN CAST(
    CASE WHEN typeof(x) = 'JSON' AND starts_with(CAST(x AS VARCHAR), ' ') THEN ' ' ELSE '' END
        || CAST(json_extract(trino_json_text(x), path) AS VARCHAR) AS JSON) END;
CREATE MACRO trino_json_array_length(x) AS CASE WHEN json_type(trino_json_text(x)) = 'ARRAY'
    THEN CAST(json_array_length(trino_json_text(x)) AS BIGINT) END;
CREATE MACRO trino_json_size(x, path) AS CASE json_type(trino_json_text(x), path)
    WHEN 'OBJECT' THEN CAST(len(json_keys(trino_json_text(x), path)) AS BIGINT)
    WHEN 'ARRAY' THEN CAST(json_array_length(trino_json_text(x), path) AS BIGINT)
    ELSE CASE WHEN json_type(trino_json_text(x), path) IS NOT NULL THEN 0 END END;
CREATE MACRO trino_json_among(x, v, kinds) AS CASE WHEN v IS NOT NULL AND json_type(trino_json_text(x)) = 'ARRAY'
    THEN len(list_filter(json_extract(coalesce(trino_json_text(x), '[]'), '$[*]'),
        lambda e: list_contains(kinds, json_type(e)) AND json_extract_string(e, '$') = v)) > 0 END;
CREATE MACRO trino_json_contains_bigint(x, v) AS trino_json_among(x, CAST(v AS VARCHAR), ['BIGINT', 'UBIGINT']);
CREATE MACRO trino_json_contains_boolean(x, v) AS trino_json_among(x, CAST(v AS VARCHAR), ['BOOLEAN']);
CREATE MACRO trino_json_contains_varchar(x, v) AS trino_json_among(x, v, ['VARCHAR']);
CREATE MACRO trino_json_contains_double(x, v) AS CASE WHEN v IS NOT NULL AND json_type(trino_json_text(x)) = 'ARRAY'
    THEN len(list_filter(json_extract(coalesce(trino_json_text(x), '[]'), '$[*]'),
        lambda e: json_type(e) = 'DOUBLE' AND TRY_CAST(json_extract_string(e, '$') AS DOUBLE) = v)) > 0 END;
CREATE MACRO trino_json_format(x) AS CASE
    WHEN regexp_matches(CAST(json(x) AS VARCHAR), '\d[.eE]|[\x{10000}-\x{10FFFF}]|\\u') OR starts_with(CAST(x AS VARCHAR), ' ')
        AND (coalesce(json_keys(x) <> list_sort(json_keys(x)), false) OR regexp_matches(CAST(json(x) AS VARCHAR), '.\{'))
    THEN trino_refuse('NOT_SUPPORTED: json_format of these keys, numbers or characters is not modelled by the embedded Athena; return the JSON itself')
    ELSE CAST(json(x) AS VARCHAR) END;
CREATE MACRO trino_json_like(e, x) AS CAST(CASE WHEN starts_with(CAST(x AS VARCHAR), ' ') THEN ' ' ELSE '' END || CAST(e AS VARCHAR) AS JSON);
CREATE MACRO trino_json_sorted(x) AS CAST(' ' || CAST(x AS VARCHAR) AS JSON);
CREATE MACRO trino_json_field(x, name, place) AS CASE
    WHEN json_type(x) = 'ARRAY' THEN json_extract(x, '$[' || place || ']')
    WHEN len(list_filter(json_keys(x), lambda k: k <> lower(k))) > 0
    THEN trino_refuse('NOT_SUPPORTED: CAST to a row of a JSON object whose keys have capitals is not modelled by the embedded Athena')
    ELSE json_extract(x, '$."' || name || '"') END;
CREATE MACRO trino_json_of_text(x) AS CASE WHEN x IS NOT NULL THEN to_json(trino_cast_varchar(x)) END;
CREATE MACRO trino_json_of_plain(x) AS CASE WHEN x IS NOT NULL THEN CAST(CAST(x AS VARCHAR) AS JSON) END;
CREATE MACRO trino_json_of_double(x) AS CASE WHEN x IS NULL THEN NULL WHEN isfinite(x) THEN CAST(CAST(CAST(x AS DOUBLE) AS VARCHAR) AS JSON)
    ELSE trino_refuse('NOT_SUPPORTED: The JSON of NaN and infinity is not modelled by the embedded Athena') END;
CREATE MACRO trino_json_of_nested(x) AS CASE WHEN x IS NOT NULL THEN to_json(x) END;
CREATE MACRO trino_levenshtein_distance(a VARCHAR, b VARCHAR) AS levenshtein(a, b);
CREATE MACRO trino_chr(x BIGINT) AS chr(CAST(x AS INTEGER));
CREATE MACRO trino_codepoint(x VARCHAR) AS unicode(x);

-- Dates and times.
CREATE MACRO trino_interval(unit VARCHAR, n BIGINT) AS CASE unit
    WHEN 'millisecond' THEN to_milliseconds(n) WHEN 'second' THEN to_seconds(n) WHEN 'minute' THEN to_minutes(n)
    WHEN 'hour' THEN to_hours(n) WHEN 'day' THEN to_days(CAST(n AS INTEGER)) WHEN 'week' THEN to_weeks(CAST(n AS INTEGER))
    WHEN 'month' THEN to_months(CAST(n AS INTEGER)) WHEN 'quarter' THEN to_quarters(CAST(n AS INTEGER))
    WHEN 'year' THEN to_years(CAST(n AS INTEGER))
    ELSE trino_fail('INVALID_FUNCTION_ARGUMENT: ''' || unit || ''' is not a valid unit') END;
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
    ELSE trino_refuse('NOT_SUPPORTED: from_iso8601_timestamp is modelled by the embedded Athena for UTC only: ' || x) END;
CREATE MACRO trino_to_iso8601(x) AS CASE typeof(x) WHEN 'DATE' THEN CAST(x AS VARCHAR)
    WHEN 'TIMESTAMP' THEN strftime(x, '%Y-%m-%dT%H:%M:%S.%g') ELSE strftime(x, '%Y-%m-%dT%H:%M:%S.%gZ') END;
CREATE MACRO trino_strftime(x, f) AS strftime(x, f);
CREATE MACRO trino_strptime(x VARCHAR, f) AS strptime(x, f);

-- Maps.
CREATE MACRO trino_map_of_pairs(pairs) AS CASE WHEN pairs IS NOT NULL THEN map_from_entries(list_filter(
    pairs, lambda e, i: list_position(list_transform(pairs, lambda o: o.k), e.k) = i)) END;
CREATE MACRO trino_counts(m) AS map(map_keys(m), list_transform(map_values(m), lambda v: CAST(v AS BIGINT)));
CREATE MACRO trino_map(k, v) AS map(k, v);
CREATE MACRO trino_map_concat(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN map_concat(a, b) END;
CREATE MACRO trino_map_keys(m) AS map_keys(m);
CREATE MACRO trino_map_values(m) AS map_values(m);

-- Arrays.
CREATE MACRO trino_cardinality(x) AS CASE WHEN typeof(x) LIKE '%[]' OR typeof(x) LIKE 'MAP%' THEN len(x)
    ELSE trino_refuse('FUNCTION_NOT_FOUND: Unexpected parameters for function cardinality. Expected: cardinality(array(E)), cardinality(map(K,V))') END;
CREATE MACRO trino_contains(x, a) AS CASE WHEN list_contains(x, a) THEN true WHEN a IS NULL OR len(x) > list_count(x) THEN NULL ELSE list_contains(x, a) END;
CREATE MACRO trino_element_at(x, i) AS CASE WHEN typeof(x) LIKE '%[]' AND CAST(i AS VARCHAR) = '0' THEN trino_fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1') ELSE x[i] END;
CREATE MACRO trino_key(m, k) AS CASE WHEN map_contains(m, k) OR m IS NULL THEN m[k] ELSE trino_fail('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || CAST(k AS VARCHAR)) END;
CREATE MACRO trino_subscript(x, i) AS CASE
    WHEN typeof(x) NOT LIKE '%[]' THEN trino_refuse('NOT_SUPPORTED: A number as the subscript of what may be no array is not modelled by the embedded Athena; use element_at')
    WHEN i < 1 OR i > len(x) THEN trino_fail('INVALID_FUNCTION_ARGUMENT: Array subscript must be between 1 and ' || len(x) || ': ' || i)
    ELSE x[i] END;
CREATE MACRO trino_texts(x) AS list_transform(x, lambda e: trino_cast_varchar(e));
CREATE MACRO trino_array_join(x, a) AS array_to_string(trino_texts(x), a),
    (x, a, missing) AS array_to_string(list_transform(x, lambda e: coalesce(trino_cast_varchar(e), missing)), a);
-- Arrays with NULLs: unknown unless an element differs.
CREATE MACRO trino_array_equal(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN NULL
    WHEN len(a) <> len(b) THEN false
    ELSE trino_all_true(list_transform(a, lambda e, i: e = b[i])) END;
CREATE MACRO trino_comparable(a) AS CASE WHEN len(a) > list_count(a)
    THEN trino_refuse('NOT_SUPPORTED: ARRAY comparison not supported for arrays with null elements') ELSE a END;
CREATE MACRO trino_array_distinct(x) AS list_filter(x, lambda e, i: CASE WHEN e IS NULL THEN len(x[:i]) = list_count(x[:i]) + 1 ELSE list_position(x, e) = i END);
CREATE MACRO trino_array_max(x) AS CASE WHEN len(x) = list_count(x) THEN list_max(x) END;
CREATE MACRO trino_array_min(x) AS CASE WHEN len(x) = list_count(x) THEN list_min(x) END;
CREATE MACRO trino_array_sort(x) AS list_sort(x, 'ASC', 'NULLS LAST');
CREATE MACRO trino_array_position(x, a) AS CASE WHEN x IS NOT NULL AND a IS NOT NULL THEN coalesce(CAST(list_position(x, a) AS BIGINT), 0) END;
CREATE MACRO trino_slice(x, start, n) AS CASE WHEN start < 1 THEN trino_refuse('NOT_SUPPORTED: slice is modelled by the embedded Athena from 1 on')
    WHEN n < 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT: length must be greater than or equal to 0') ELSE x[start:start + n - 1] END;
CREATE MACRO trino_flatten(x) AS flatten(x);
CREATE MACRO trino_has(x, e) AS CASE WHEN e IS NULL THEN len(x) > list_count(x) ELSE list_contains(x, e) END;
CREATE MACRO trino_array_intersect(a, b) AS CASE WHEN b IS NOT NULL THEN list_filter(trino_array_distinct(a), lambda e: trino_has(b, e)) END;
CREATE MACRO trino_array_except(a, b) AS CASE WHEN b IS NOT NULL THEN list_filter(trino_array_distinct(a), lambda e: NOT trino_has(b, e)) END;
CREATE MACRO trino_array_union(a, b) AS CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN trino_array_distinct(list_concat(a, b)) END;
CREATE MACRO trino_arrays_overlap(a, b) AS CASE
    WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN true
    WHEN len(a) = 0 OR len(b) = 0 THEN false
    WHEN len(a) > list_count(a) OR len(b) > list_count(b) THEN NULL ELSE false END;
CREATE MACRO trino_array_remove(x, a) AS CASE WHEN a IS NOT NULL THEN list_filter(x, lambda e: e IS NULL OR e <> a) END;
CREATE MACRO trino_repeat(x, n) AS CASE
    WHEN n < 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be greater than or equal to 0')
    WHEN n > 10000 THEN trino_fail('INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be less than or equal to 10000')
    -- Otherwise DuckDB makes the list before it looks at its length.
    ELSE list_transform(generate_series(1, CASE WHEN n <= 10000 THEN n END), lambda i: x) END;
CREATE MACRO trino_trim_array(x, n) AS CASE
    WHEN typeof(x) NOT LIKE '%[]' THEN trino_refuse('FUNCTION_NOT_FOUND: Unexpected parameters for function trim_array')
    WHEN n < 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT: size must not be negative: ' || n)
    WHEN n > len(x) THEN trino_fail('INVALID_FUNCTION_ARGUMENT: size must not exceed array cardinality ' || len(x) || ': ' || n)
    ELSE x[:len(x) - n] END;
CREATE MACRO trino_steps(found) AS CASE WHEN len(found) > 10000
    THEN trino_fail('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries') ELSE found END;
CREATE MACRO trino_last(a, b, step) AS CASE WHEN (CAST(b AS HUGEINT) - a) // nullif(step, 0) >= 10000
    THEN trino_fail('INVALID_FUNCTION_ARGUMENT: result of sequence function must not have more than 10000 entries') ELSE b END;
CREATE MACRO trino_direction(a, b, is_forward, is_backward) AS CASE
    WHEN NOT is_forward AND NOT is_backward THEN trino_fail('INVALID_FUNCTION_ARGUMENT: step must not be zero')
    WHEN a < b AND NOT is_forward OR a > b AND NOT is_backward THEN trino_fail('INVALID_FUNCTION_ARGUMENT: sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start')
    ELSE true END;
-- Months count from the first element, whose day of the month a short month must not change.
CREATE MACRO trino_months(step) AS CAST(datepart('year', step) * 12 + datepart('month', step) AS BIGINT);
CREATE MACRO trino_moments(a, b, step) AS CASE
    WHEN NOT trino_direction(a, b, step > INTERVAL 0 DAY, step < INTERVAL 0 DAY) THEN NULL
    WHEN trino_months(step) <> 0 THEN trino_steps(list_filter(
        list_transform(
            generate_series(0, datediff('month', a, b) // nullif(trino_months(step), 0)), lambda i: a + to_months(CAST(i * trino_months(step) AS INTEGER))
        ),
        lambda e: CASE WHEN step > INTERVAL 0 DAY THEN e <= b ELSE e >= b END
    ))
    ELSE trino_steps(generate_series(a, b, step)) END;
CREATE MACRO trino_sequence(a BIGINT, b BIGINT) AS CASE WHEN a <= b THEN generate_series(a, trino_last(a, b, 1)) ELSE generate_series(a, trino_last(a, b, -1), -1) END,
    (a DATE, b DATE) AS CAST(trino_moments(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), CASE WHEN a <= b THEN INTERVAL 1 DAY ELSE INTERVAL (-1) DAY END) AS DATE[]),
    (a BIGINT, b BIGINT, step BIGINT) AS CASE WHEN trino_direction(a, b, step > 0, step < 0) THEN generate_series(a, trino_last(a, b, step), step) END,
    (a DATE, b DATE, step INTERVAL) AS CAST(trino_moments(CAST(a AS TIMESTAMP), CAST(b AS TIMESTAMP), step) AS DATE[]),
    (a TIMESTAMP, b TIMESTAMP, step INTERVAL) AS trino_moments(a, b, step);
CREATE MACRO trino_any_true(x) AS CASE WHEN list_contains(x, true) THEN true WHEN len(x) > list_count(x) THEN NULL WHEN x IS NOT NULL THEN false END;
CREATE MACRO trino_all_true(x) AS CASE WHEN list_contains(x, false) THEN false WHEN len(x) > list_count(x) THEN NULL WHEN x IS NOT NULL THEN true END;
CREATE MACRO trino_none_true(x) AS NOT trino_any_true(x);
