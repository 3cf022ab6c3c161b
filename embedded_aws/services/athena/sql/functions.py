"""The Trino functions that are modelled, and their names in DuckDB.

Any function neither listed here nor defined as a macro `trino_<name>` is refused: no result is better than a wrong one.
Source: https://trino.io/docs/current/functions/list.html
"""

from __future__ import annotations

import re
from importlib.resources import files

from sqlglot import exp

from embedded_aws.services.athena.sql.nodes import STRICT, TRYING

_TOO_LONG = (
    "trino_fail('INVALID_CAST_ARGUMENT: Value ' || CAST(x AS VARCHAR)"
    " || ' cannot be represented as varchar(' || n || ')')"
)
_NO_BIGINT = "trino_fail('INVALID_CAST_ARGUMENT: Unable to cast ' || trino_number_in_error(x) || ' to bigint')"
_BEYOND = "trino_beyond(x, target)"
_FAILED = "trino_fail('INVALID_CAST_ARGUMENT: Cannot cast ' || CAST(x AS VARCHAR) || ' to the target type')"


_RAISING = """
    CREATE MACRO trino_fail(message) AS list_extract([NULL], CAST(message AS BIGINT));
    CREATE MACRO trino_refuse(message) AS list_extract([NULL], epoch_ms(timezone(message, TIMESTAMP '2000-01-01')));
"""
"""What raises an error that `try` catches, and one that it does not: DuckDB's TRY, which does not accept its `error`,
catches what a cast raises, and lets pass what an unknown time zone does."""

_FAILURES = ("failed", "too_long", "no_bigint", "beyond")


def _words(text: str) -> list[str]:
    return text.split()


def _macros() -> str:
    folder = files("embedded_aws.services.athena.sql")
    casts = folder.joinpath("casts.sql").read_text(encoding="utf-8")
    return (
        folder.joinpath("doubles.sql").read_text(encoding="utf-8")
        + casts.format(
            name=STRICT, cast="CAST", failed=_FAILED, too_long=_TOO_LONG, no_bigint=_NO_BIGINT, beyond=_BEYOND
        )
        + casts.format(name=TRYING, cast="TRY_CAST", **dict.fromkeys(_FAILURES, "NULL"))
        + folder.joinpath("macros.sql").read_text(encoding="utf-8")
    )


TRINO = frozenset(
    files("embedded_aws.services.athena.sql").joinpath("trino_functions.txt").read_text(encoding="utf-8").split()
)
"""The names of all of Trino's functions."""

_MACROS = _macros()
"""With `trino_fail` and `trino_refuse` for errors."""

MACROS = re.sub(r"\btrino_(?:fail|refuse)\(", "error(", _MACROS)
"""Statements that define Trino's functions in DuckDB."""

TRIED = "tried_"
"""What the names of macros begin with whose errors `try` catches: DuckDB plans queries with them much more slowly."""

TRIED_MACROS = re.sub(r"\btrino_(?=\w+\()", f"{TRIED}trino_", _RAISING + _MACROS)
"""Statements that define the same functions for what is tried."""

TYPED_MACROS = frozenset(re.findall(r"CREATE MACRO (\w+)\(\w+ [A-Z]", MACROS))
"""Macros with typed parameters."""

SAME = frozenset(
    _words("""
    abs acos array_agg asin atan atan2 avg bool_and bool_or coalesce concat_ws corr cos count covar_pop covar_samp
    cume_dist day degrees dense_rank exp first_value hour lag last_value lead ln log10 log2 max min minute month
    nth_value ntile nullif percent_rank pi power quarter radians rank round row_number second sign sin sqrt stddev
    stddev_pop stddev_samp sum tan tanh var_pop var_samp variance week year
    """)
)
"""Functions with the same name and results in DuckDB."""

RENAMED = {
    "any_value": "any_value",
    "arbitrary": "any_value",
    # DuckDB's max_by ignores rows whose value is null; Trino returns that null.
    "max_by": "arg_max_null",
    "min_by": "arg_min_null",
    "every": "bool_and",
    "pow": "power",
    "filter": "list_filter",
    "transform": "list_transform",
}
"""Functions that have another name in DuckDB."""

ALIASES = {
    "ceiling": "ceil",
    "day_of_month": "day",
    "dow": "day_of_week",
    "doy": "day_of_year",
    "substring": "substr",
    "week_of_year": "week",
    "yow": "year_of_week",
}
"""Trino's own aliases."""

IGNORING_NULLS: dict[str, type[exp.Func]] = {
    "first_value": exp.FirstValue,
    "lag": exp.Lag,
    "last_value": exp.LastValue,
    "lead": exp.Lead,
    "nth_value": exp.NthValue,
}
"""Window functions that accept IGNORE NULLS."""

AGGREGATES = frozenset(
    _words("""
    any_value arg_max_null arg_min_null array_agg avg bool_and bool_or corr count covar_pop covar_samp
    cume_dist dense_rank first_value lag last_value lead max min nth_value ntile percent_rank rank row_number stddev
    stddev_pop stddev_samp sum var_pop var_samp variance
    """)
)
"""Aggregate and window functions, by their names in DuckDB."""

OVERLOADED = {"ceil": 0, "date_add": 2, "date_trunc": 1, "floor": 0, "plus_interval": 0}
"""Macros whose result has the type of an argument → its position; each also has one variant per type."""

_BIGINT = """
    approx_distinct array_position bitwise_and bitwise_not bitwise_or bitwise_xor cardinality count count_if date_diff
    day day_of_month day_of_week day_of_year dense_rank dow doy hamming_distance hour length minute month ntile quarter
    rank regexp_count row_number second strpos week width_bucket year year_of_week
"""
_DOUBLE = "nan infinity avg cume_dist exp ln log10 percent_rank power rand random sqrt to_unixtime"
_VARCHAR = """
    array_join concat current_timezone date_format format format_datetime from_utf8 json_extract_scalar json_format
    lower lpad ltrim regexp_extract regexp_replace replace reverse rpad rtrim split_part substr substring to_base64
    to_hex to_iso8601 translate trim upper
"""
_OF_FIRST_ARGUMENT = """
    abs any_value approx_percentile arbitrary ceil ceiling first_value floor lag last_value lead map_concat map_filter
    max max_by min min_by nth_value nullif round trim_array try
"""

OF_ALL_ARGUMENTS = frozenset({"coalesce", "greatest", "least"})
"""Functions whose result has the type that their arguments have in common."""

RESULTS: dict[str, str | int] = {
    **dict.fromkeys(_words(_BIGINT), "bigint"),
    **dict.fromkeys(_words(_DOUBLE), "double"),
    **dict.fromkeys(_words(_VARCHAR), "varchar"),
    **dict.fromkeys(
        _words("bool_and bool_or contains every is_finite is_infinite is_nan regexp_like starts_with"), "boolean"
    ),
    **dict.fromkeys(_words("json_extract json_parse"), "json"),
    **dict.fromkeys(_words("json_array_length json_size"), "bigint"),
    "json_array_contains": "boolean",
    **dict.fromkeys(_words("from_base64 from_hex md5 sha1 sha256 to_utf8"), "varbinary"),
    **dict.fromkeys(_words("date from_iso8601_date"), "date"),
    **dict.fromkeys(
        _words("at_timezone from_iso8601_timestamp from_unixtime now with_timezone"), "timestamp with time zone"
    ),
    "date_parse": "timestamp",
    **dict.fromkeys(_words(_OF_FIRST_ARGUMENT), 0),
    "date_trunc": 1,
    "date_add": 2,
}
"""The result type of a function, or the position of the argument that determines it."""

INTERNAL = frozenset(
    _words("""
    all_true any_true array_equal beyond bucket comparable concat_arrays counts date_add_date date_add_timestamp
    date_trunc_date date_trunc_timestamp delimiter digits direction divide divide_decimal divide_double double_text
    exponent group group_or_null group_unless_empty grouped half_up has instant interval json_among
    json_contains_bigint json_contains_boolean json_contains_double json_contains_varchar json_field json_like
    json_of_double json_of_nested json_of_plain json_of_text json_sorted json_text key map_of_pairs minus
    moments months no_group none_true number_in_error number_text pad_length padded pattern plain plus plus_interval
    plus_interval_date plus_interval_timestamp remainder span steps strftime strptime subscript texts
    unscaled valid_json
    """)
) | {
    name.removeprefix("trino_")
    for name in re.findall(r"CREATE MACRO (trino_\w*cast_\w+|trino_\w+_(?:bigint|double))", MACROS)
}
"""Macros that are no functions of Trino: rewritten queries call them."""

OF_JSON = frozenset(
    _words("""
    any_value arbitrary array_agg coalesce count first_value if json_array_contains json_array_length json_extract
    json_extract_scalar json_format json_size lag last_value lead max_by min_by nth_value try
    """)
)
"""Functions that take JSON."""

LOCAL_TIME = frozenset(
    _words("""
    date_format day day_of_week day_of_year format_datetime hour last_day_of_month millisecond minute month quarter
    second week year year_of_week
    """)
)
"""Functions of a timestamp's local time."""
