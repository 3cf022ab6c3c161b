"""Makes text safe for spreadsheets, which take a cell for a formula if it begins like one."""

from __future__ import annotations

FORMULA = r"^\s*[-=+@＝＋－＠]|^[\t\r\n]"
"""What cells begin with that a spreadsheet may execute, as a regular expression for Python and DuckDB.

Source: https://owasp.org/www-community/attacks/CSV_Injection.
"""


def defused(expression: str) -> str:
    """Return DuckDB's SQL for a text with an apostrophe before it if it begins like a formula."""
    return f"CASE WHEN regexp_matches({expression}, '{FORMULA}') THEN '''' || {expression} ELSE {expression} END"
