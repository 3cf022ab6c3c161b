"""`spotify-etl report`: a report of a stack, of a saved lake, or of a privacy export."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from cli.errors import CommandError
from cli.presentation import Steps, print_line
from cli.report.card import check_card
from cli.report.report import ReportRequest, write_report
from cli.report.sources import AthenaWorkgroup, DuckdbFile, QuerySource
from cli.stacks import deployed_stack
from cli.text import quoted

_PROJECT = Path(__file__).resolve().parents[2]
_DATABASE = ".duckdb"


def run_report(
    paths: Sequence[Path],
    request: ReportRequest,
    *,
    stack: str,
    timezone: str,
    open_browser: bool,
    console: Console,
) -> None:
    """Write a report, and open it if wanted.

    Args:
        paths: a DuckDB file of a demo, or a privacy export as `import_history` takes it; none for a stack.
        request: what is wanted.
        stack: name of the stack; '' for the only one.
        timezone: of the listener of an export; '' for that of this machine.
        open_browser: whether to open the report.
        console: where progress is printed.

    Raises:
        CommandError: the data cannot be found or read, or the report cannot be written.
    """
    if stack and paths:
        raise CommandError("Pass either --stack or a file: a report is made from one of them.")
    if request.card is not None:
        check_card(request.card)
    steps = Steps(console)
    with _source(paths, stack, timezone, steps) as (source, name), steps.step(f"Query {name}") as result:
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
def _source(paths: Sequence[Path], stack: str, timezone: str, steps: Steps) -> Iterator[tuple[QuerySource, str]]:
    if not paths:
        chosen = deployed_stack(stack, _PROJECT)
        try:
            athena = boto3.client("athena", region_name=chosen.outputs.get("region"))
            yield AthenaWorkgroup(athena, chosen.outputs), f"the stack {chosen.name}"
        except (BotoCoreError, ClientError, ValueError) as error:
            raise CommandError(
                f"AWS refused a request or did not respond ({quoted(error)}): check your credentials and region."
            ) from error
    elif len(paths) == 1 and paths[0].suffix == _DATABASE:
        yield DuckdbFile(paths[0]), paths[0].name
    else:
        # The embedded cloud takes a second to import; a report of a stack must not wait for it.
        from cli.own_export import run_own_export  # noqa: PLC0415

        with tempfile.TemporaryDirectory(prefix="spotify-etl-") as folder:
            saved = run_own_export(paths, Path(folder), timezone=timezone, steps=steps)
            yield DuckdbFile(saved.database), "your privacy export"
