"""`spotify-etl import-history` on a deployed pipeline: imports plays and follows them until Athena has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cli.athena_queries import run_query
from cli.following import follow_crawl, follow_transform
from cli.import_history import ARRIVAL, import_history
from cli.presentation import Steps, print_tables, table
from cli.targets import Target, aws_errors, find_target


def run_import(
    paths: Sequence[Path],
    *,
    account_id: str | None,
    again: bool,
    follow: bool,
    stack: str,
    local: bool,
    console: Console,
) -> None:
    """Import plays into the raw bucket of a deployed pipeline.

    Args:
        paths: as `import_history` takes them.
        account_id: the account that the plays belong to; None for the account that is logged in.
        again: whether to import files again that have been imported before.
        follow: whether to wait for the transform, crawl, and show the plays of each year.
        stack: value of `--stack`.
        local: value of `--local`.
        console: where progress and results are printed.

    Raises:
        CommandError: the import failed, or a step after it.
        StillRunningError: the user stopped waiting for the steps after it.
    """
    target = find_target(stack, local=local)
    target.announce(console)
    imported = import_history(
        paths,
        target.output("raw_bucket_name"),
        account_id=account_id,
        again=again,
        console=console,
        s3=target.client("s3"),
        next_step="" if follow else ARRIVAL,
    )
    if not (follow and imported.keys):
        return
    steps = Steps(console)
    with steps.step("Transform") as result:
        follow_transform(target, imported.keys, result)
        result.say("Every play is in `plays`.")
    follow_crawl(target, steps)
    _show_years(target, imported.account_id, console)


def _show_years(target: Target, account_id: str, console: Console) -> None:
    account = account_id.replace("'", "''")
    with aws_errors():
        years = run_query(
            target.client("athena"),
            "SELECT year(heard_at_local) AS year, count(*) AS plays, count_if(is_listen) AS listens, "  # noqa: S608 - the only value is quoted
            "round(sum(coalesce(ms_heard_at_most, 0)) / 3600000e0, 1) AS hours_at_most "
            f"FROM listens WHERE account_id = '{account}' GROUP BY 1 ORDER BY 1",
            database=target.output("glue_database_name"),
            workgroup=target.output("athena_workgroup_name"),
        )
    print_tables(console, table("Plays in `listens` by year", years.columns, years.rows))
