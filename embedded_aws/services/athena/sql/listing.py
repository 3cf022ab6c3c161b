"""The page FUNCTIONS.md: which of Trino's functions are the same in DuckDB, mapped, or refused.

`python -m embedded_aws.services.athena.sql.listing` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from embedded_aws.services.athena.sql.calls import modelled
from embedded_aws.services.athena.sql.functions import ALIASES, SAME, TRINO

PAGE = Path(str(files("embedded_aws.services.athena"))) / "FUNCTIONS.md"

_SYNTAX = {"current_date", "listagg", "position", "trim"}
"""Functions whose arguments have a grammar of their own: the parser knows them."""


def page() -> str:
    """Return the page."""
    here = modelled() | _SYNTAX
    names = TRINO | ALIASES.keys() & TRINO
    known = {name for name in names if ALIASES.get(name, name) in here}
    same = {name for name in known if ALIASES.get(name, name) in SAME}
    return "\n".join(
        [
            "# Functions of the embedded Athena",
            "",
            "Written by `python -m embedded_aws.services.athena.sql.listing`.",
            "",
            "## Same",
            "",
            "DuckDB's function has the same name and the same results.",
            "",
            _listed(same),
            "",
            "## Mapped",
            "",
            "Written in DuckDB's SQL so that the results are Trino's. A form that is not modelled is refused.",
            "",
            _listed(known - same),
            "",
            "## Refused",
            "",
            "A query that calls one of them fails with `NOT_SUPPORTED`.",
            "",
            _listed(names - known),
            "",
        ]
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
