"""Which of Trino's functions are modelled, and what they are called here.

Whatever is named neither here nor by a macro `trino_<name>` is refused: better no answer than another one.
Source: https://trino.io/docs/current/functions/list.html
"""

from __future__ import annotations

from importlib.resources import files

from sqlglot import exp

from local.athena.casts import cast_macros

MACROS = files("local.athena").joinpath("macros.sql").read_text(encoding="utf-8") + cast_macros()

SAME = frozenset(
    "abs acos array_agg asin atan atan2 avg bool_and bool_or cbrt coalesce corr cos count covar_pop covar_samp cume_dist"
    " degrees dense_rank exp first_value lag last_value lead ln log10 log2 max min nth_value ntile nullif percent_rank pi"
    " power radians rank round row_number sign sin sqrt stddev stddev_pop stddev_samp sum tan tanh var_pop var_samp"
    " variance concat_ws".split()
)
"""Functions that DuckDB has under the same name with the same answers."""

RENAMED = {
    "any_value": "any_value",
    "arbitrary": "any_value",
    # DuckDB's max_by passes over rows whose value is null; Trino gives that null.
    "max_by": "arg_max_null",
    "min_by": "arg_min_null",
    "count_if": "count_if",
    "every": "bool_and",
    "pow": "power",
    "array_intersect": "list_intersect",
    "filter": "list_filter",
    "transform": "list_transform",
}
"""Functions that DuckDB has under another name."""

ALIASES = {
    "ceiling": "ceil",
    "day_of_month": "day",
    "dow": "day_of_week",
    "doy": "day_of_year",
    "substring": "substr",
    "week_of_year": "week",
    "yow": "year_of_week",
}
"""Trino's own second names."""

IGNORING_NULLS: dict[str, type[exp.Func]] = {
    "first_value": exp.FirstValue,
    "lag": exp.Lag,
    "last_value": exp.LastValue,
    "lead": exp.Lead,
    "nth_value": exp.NthValue,
}
"""Window functions that may be followed by IGNORE NULLS."""

OF_LOCAL_TIME = frozenset(
    "date_format day day_of_week day_of_year format_datetime hour last_day_of_month millisecond minute month quarter second"
    " week year year_of_week".split()
)
"""Functions that look at the clock of a timestamp's zone."""
