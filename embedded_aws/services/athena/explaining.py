"""EXPLAIN: whether a query is valid, and a plan in text that says whose it is.

Its JSON, and the statistics of EXPLAIN ANALYZE, are for programs, and only Trino's planner has them.
Source: https://docs.aws.amazon.com/athena/latest/ug/athena-explain-statement.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.plans import plan_lines
from embedded_aws.services.athena.results import ResultSet
from embedded_aws.services.athena.types import from_hive

_EXPLAIN = re.compile(
    r"EXPLAIN\s*(?:\((?!\s*(?:(?:SELECT|WITH|VALUES|TABLE)\b|\())(?P<options>[^)]*)\)\s*)?(?P<query>.+)",
    re.IGNORECASE | re.DOTALL,
)
_VALUES = {"TYPE": ("DISTRIBUTED", "IO", "LOGICAL", "VALIDATE"), "FORMAT": ("GRAPHVIZ", "JSON", "TEXT")}


def explained(text: str) -> str | None:
    """Return the query that EXPLAIN is about; None for another statement.

    Raises:
        QueryError: its options are invalid.
    """
    found = _EXPLAIN.fullmatch(text)
    if found is None:
        return None
    _options(found)
    return _query(found)


def explanation(text: str, tree: exp.Expr) -> ResultSet:
    """Return the answer to EXPLAIN of a valid query.

    Raises:
        QueryError: it asks for what only Trino has.
    """
    found = _EXPLAIN.fullmatch(text)
    options = _options(found) if found is not None else {}
    if re.match(r"EXPLAIN\s+ANALYZE\b", text, re.IGNORECASE):
        raise not_supported("EXPLAIN ANALYZE, which measures Trino's operators")
    kind, form = options.get("TYPE", "DISTRIBUTED"), options.get("FORMAT", "TEXT")
    if kind == "VALIDATE":
        return ResultSet((("Valid", from_hive("boolean")),), (("true",),), header=True)
    if kind == "IO" or form != "TEXT":
        raise not_supported(
            f"EXPLAIN (TYPE {kind}, FORMAT {form}), whose content is Trino's planner's; use TYPE VALIDATE"
        )
    lines = tuple((line,) for line in plan_lines(tree))
    return ResultSet((("Query Plan", from_hive("string")),), lines, header=True)


def _query(found: re.Match[str]) -> str:
    return re.sub(r"^ANALYZE\s+(VERBOSE\s+)?", "", found["query"].strip(), flags=re.IGNORECASE)


def _options(found: re.Match[str]) -> Mapping[str, str]:
    options: dict[str, str] = {}
    for option in (found["options"] or "").split(",") if found["options"] is not None else ():
        name, _, value = option.strip().upper().partition(" ")
        if value.strip() not in _VALUES.get(name, ()):
            raise QueryError("SYNTAX_ERROR", f"line 1:10: mismatched input '{option.strip()}'")
        options[name] = value.strip()
    return options
