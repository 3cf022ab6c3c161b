"""Makes a report: queries, sections, page, file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.errors import CommandError
from cli.report.page import render
from cli.report.sections import QUERIES, sections
from cli.report.sources import QuerySource, Rows

ACCOUNTS_QUERY = "overview"
"""The named query with a row for every account."""


@dataclass(frozen=True)
class Written:
    """A report that was written."""

    path: Path
    account_id: str
    other_accounts: tuple[str, ...]
    """Accounts that the data hold beside it."""


def write_report(
    source: QuerySource,
    path: Path,
    *,
    name: str,
    account_id: str = "",
    year: int | None = None,
    on_query: Callable[[str], None] = lambda _: None,
) -> Written:
    """Write the report of one account; an earlier file is replaced once the new one is complete.

    Args:
        source: answers the named queries.
        path: of the HTML file.
        name: of the source, for the page.
        account_id: whose report; by default the account with the most listens.
        year: shown first in the year in review.
        on_query: called with the name of each query before it runs.

    Raises:
        CommandError: a query failed, the account or year is not among the data, or the file cannot be written.
    """
    answers: dict[str, Rows] = {}
    for query in QUERIES:
        on_query(query)
        answers[query] = source.rows(query)
    account = _account(answers[ACCOUNTS_QUERY], account_id)
    # What went wrong before the first login belongs to no account yet.
    own = {query: [row for row in rows if row["account_id"] in {account, None}] for query, rows in answers.items()}
    _check_year(own, year)
    page = render(
        sections(own, year),
        person=own[ACCOUNTS_QUERY][0]["display_name"] or "",
        source=name,
        made_on=datetime.now(UTC).astimezone().date(),
    )
    _write(path, page)
    others = [row["account_id"] or "" for row in answers[ACCOUNTS_QUERY] if row["account_id"] != account]
    return Written(path, account, tuple(others))


def _account(accounts: Rows, wanted: str) -> str:
    known = {row["account_id"] or "": int(row["listens"] or 0) for row in accounts}
    if not known:
        raise CommandError("There are no data yet: let the pipeline run, or import a privacy export, and try again.")
    if wanted and wanted not in known:
        raise CommandError(f"There are no data of the account {wanted}: pass one of {', '.join(sorted(known))}.")
    return wanted or max(sorted(known), key=lambda account: known[account])


def _check_year(answers: Mapping[str, Sequence[Mapping[str, str | None]]], year: int | None) -> None:
    known = [row["year"] for row in answers["year_in_review"]]
    if year is not None and str(year) not in known:
        years = f"pass one of {', '.join(filter(None, known))}" if known else "there are no listens in any year"
        raise CommandError(f"There are no listens in {year}: {years}.")


def _write(path: Path, page: str) -> None:
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            try:
                file.write(page)
                file.close()
                # A temporary file is the user's alone; so is a report.
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CommandError(f"Cannot write {path} ({error.strerror}): pass another --out.") from error
