"""`spotify-etl report`: a report of a deployed pipeline, of a saved lake, or of a privacy export."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from cli.errors import CommandError
from cli.lake import DATABASE_FILE
from cli.presentation import Steps, print_line
from cli.report.card import check_card
from cli.report.report import ReportRequest, write_report
from cli.report.sources import AthenaWorkgroup, DuckdbFile, QuerySource
from cli.targets import Target, find_target

_SUFFIX = ".duckdb"


def run_report(
    paths: Sequence[Path],
    request: ReportRequest,
    *,
    stack: str,
    local: bool = False,
    timezone: str,
    open_browser: bool,
    console: Console,
) -> None:
    """Write a report, and open it if wanted.

    Args:
        paths: a DuckDB file of a demo, or a privacy export as `import_history` takes it; none for a deployed pipeline.
        request: what is wanted.
        stack: value of `--stack`.
        local: value of `--local`.
        timezone: of the listener of an export; '' for that of this machine.
        open_browser: whether to open the report.
        console: where progress is printed.

    Raises:
        CommandError: the data cannot be found or read, or the report cannot be written.
    """
    if (stack or local) and paths:
        raise CommandError(
            f"Pass either --{'local' if local else 'stack'} or a file: a report is made from one of them."
        )
    database = _database(paths)
    if timezone and (database or not paths):
        raise CommandError("--timezone is only for a privacy export: a stack and a saved lake have their own.")
    if request.card is not None:
        check_card(request.card)
    _check_folders(request)
    steps = Steps(console)
    target = None if paths else find_target(stack, local=local)
    if target:
        target.announce(console)
    with _source(paths, database, target, timezone, steps) as (source, name), steps.step(f"Query {name}") as result:
        written = write_report(source, request, name=name, on_query=result.progress)
    for other in written.other_accounts:
        print_line(console, f"The data also hold the account {other}: pass --account-id for its report.")
    print_line(console, "The report is ", (str(written.path), "bold"), ".")
    if request.card is not None:
        print_line(console, "The card is ", (str(request.card), "bold"), ".")
    if open_browser:
        show(written.path, console)


def show(path: Path, console: Console) -> None:
    """Open a page in the browser; say so where there is none."""
    if not webbrowser.open(path.resolve().as_uri()):
        print_line(console, f"No browser could be opened: open {path} yourself.")


@contextmanager
def _source(
    paths: Sequence[Path], database: Path | None, target: Target | None, timezone: str, steps: Steps
) -> Iterator[tuple[QuerySource, str]]:
    if target:
        yield AthenaWorkgroup(target.client("athena"), target.outputs), target.description
    elif database:
        yield DuckdbFile(database), database.name
    else:
        # The embedded cloud takes a second to import; a report of a stack must not wait for it.
        from cli.own_export import run_own_export  # noqa: PLC0415

        with tempfile.TemporaryDirectory(prefix="spotify-etl-") as folder:
            saved = run_own_export(paths, Path(folder), timezone=timezone, steps=steps)
            yield DuckdbFile(saved.database), "your privacy export"


def _database(paths: Sequence[Path]) -> Path | None:
    """Return the DuckDB file among the paths: the file itself, or that in the folder of a demo.

    Raises:
        CommandError: there are several paths, and one of them is a DuckDB file.
    """
    found = [path for path in paths if path.suffix == _SUFFIX or (path / DATABASE_FILE).is_file()]
    if found and len(paths) > 1:
        raise CommandError(f"{found[0]} is a saved lake: pass it alone, or only the files of a privacy export.")
    return next((path if path.suffix == _SUFFIX else path / DATABASE_FILE for path in found), None)


def _check_folders(request: ReportRequest) -> None:
    for path in filter(None, (request.path, request.card)):
        if not path.parent.is_dir():
            raise CommandError(f"There is no folder {path.parent} for {path.name}: create it, or choose another path.")
