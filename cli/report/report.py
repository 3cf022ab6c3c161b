"""Makes a report: queries, sections, page, file."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cli.errors import CommandError
from cli.report.blocks.years import years_in_review
from cli.report.card import render_card
from cli.report.page import render
from cli.report.rows import Answers, Rows
from cli.report.sections import QUERIES, sections
from cli.report.sources import QuerySource

ACCOUNTS_QUERY = "overview"
"""The named query with a row for every account."""


@dataclass(frozen=True, kw_only=True)
class ReportRequest:
    """What a report is wanted of, and where."""

    path: Path
    """Of the HTML file."""
    account_id: str = ""
    """Whose report; by default the account with the most listens."""
    year: int | None = None
    """Shown first in the year in review, and on the card; by default the newest one."""
    card: Path | None = None
    """Of the image of the year, if one is wanted."""


@dataclass(frozen=True)
class Written:
    """A report that was written."""

    path: Path
    account_id: str
    other_accounts: tuple[str, ...]
    """Accounts that the data hold beside it."""


def write_report(
    source: QuerySource,
    request: ReportRequest,
    *,
    name: str,
    on_query: Callable[[str], None] = lambda _: None,
) -> Written:
    """Write the report of one account; earlier files are replaced once the new ones are complete.

    Args:
        source: answers the named queries.
        request: what is wanted.
        name: of the source, for the page.
        on_query: called with the name of each query before its answer is waited for.

    Raises:
        CommandError: a query failed, the account or year is not among the data, or a file cannot be written.
    """
    answers = source.answers(QUERIES, on_query)
    account = _account(answers[ACCOUNTS_QUERY], request.account_id)
    # What went wrong before the first login belongs to no account yet.
    own = {query: [row for row in rows if row["account_id"] in {account, None}] for query, rows in answers.items()}
    person = own[ACCOUNTS_QUERY][0]["display_name"] or ""
    _check_year(own, request.year)
    if request.card is not None:
        _write(request.card, _card(own, request.year, person, request.card.suffix))
    page = render(
        sections(own, request.year), person=person, source=name, made_on=datetime.now(UTC).astimezone().date()
    )
    _write(request.path, page.encode())
    others = [row["account_id"] or "" for row in answers[ACCOUNTS_QUERY] if row["account_id"] != account]
    return Written(request.path, account, tuple(others))


def _card(answers: Answers, wanted: int | None, person: str, suffix: str) -> bytes:
    years = years_in_review(answers)
    if not years:
        raise CommandError("There are no listens in any year, so there is no card: leave out --card.")
    year = next((one for one in years if one.year == wanted), years[0])
    return render_card(year, person=person, suffix=suffix)


def _account(accounts: Rows, wanted: str) -> str:
    known = {row["account_id"] or "": int(row["listens"] or 0) for row in accounts}
    if not known:
        raise CommandError("There are no data yet: let the pipeline run, or import a privacy export, and try again.")
    if wanted and wanted not in known:
        raise CommandError(f"There are no data of the account {wanted}: pass one of {', '.join(sorted(known))}.")
    return wanted or max(sorted(known), key=lambda account: known[account])


def _check_year(answers: Answers, year: int | None) -> None:
    known = [row["year"] for row in answers["year_in_review"]]
    if year is not None and str(year) not in known:
        years = f"pass one of {', '.join(filter(None, known))}" if known else "there are no listens in any year"
        raise CommandError(f"There are no listens in {year}: {years}.")


def _write(path: Path, content: bytes) -> None:
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            try:
                file.write(content)
                file.close()
                # A temporary file can be read by the user alone, which suits a report.
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CommandError(f"Cannot write {path} ({error.strerror}): choose another path.") from error
