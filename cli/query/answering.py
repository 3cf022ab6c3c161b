"""Runs one query, and shows its rows or writes them."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from cli.athena_queries import FinishedQuery, execute
from cli.errors import CommandError
from cli.presentation import bar_chart, pluralize, print_line, print_tables, progress_bar
from cli.query.answers import FileFormat, QueryAnswer, fetch
from cli.query.charts import MOST_BARS, read_bars, save_chart
from cli.query.named import named_sql
from cli.query.request import QueryRequest
from cli.query.tables import rows_table
from cli.query_parameters import with_parameters
from cli.targets import Target

_SHOWN_ROWS = 40


def answer_query(target: Target, request: QueryRequest, form: str, console: Console) -> None:
    """Run one query and show or write its answer.

    Args:
        target: where it runs.
        request: what is asked.
        form: one of `FORMATS`.
        console: for everything but the rows of a format other than `table`.

    Raises:
        CommandError: there is no such query, it failed, or a file cannot be written.
    """
    athena = target.client("athena")
    sql = _sql(target, request)
    with console.status("Athena …") as status:
        finished = execute(
            athena,
            sql,
            database=target.output("glue_database_name"),
            workgroup=target.output("athena_workgroup_name"),
            on_wait=lambda state: status.update(f"Athena: {state} …"),
        )
    with tempfile.TemporaryDirectory(prefix="spotify-etl-") as folder, progress_bar(console) as progress:
        task = progress.add_task("Reading the rows", total=None)
        answer = fetch(
            athena,
            target.client("s3"),
            finished,
            Path(folder),
            on_size=lambda size: progress.update(task, total=size),
            on_bytes=lambda size: progress.advance(task, size),
        )
        progress.stop()
        if answer is None:
            print_line(console, f"Done in {finished.seconds:.1f} s, without rows; {_bill(target, finished)}")
            return
        rows = _deliver(answer, request, form, request.name or "Query", Path(folder), console)
    print_line(console, f"{pluralize(rows, 'row')} in {finished.seconds:.1f} s; {_bill(target, finished)}")


def _deliver(answer: QueryAnswer, request: QueryRequest, form: str, title: str, folder: Path, console: Console) -> int:
    """Show or write the rows; return how many there are."""
    count = answer.count()
    if request.chart:
        bars = read_bars(answer.columns, answer.head(MOST_BARS))
        heading = f"{title}: {bars.number}" + (f", the first {MOST_BARS} of {count:,}" if count > MOST_BARS else "")
        if request.out:
            save_chart(request.out, heading, bars)
            print_line(console, "The chart is ", (str(request.out), "bold"), ".")
        else:
            print_tables(console, bar_chart(heading, bars.bars))
    elif form == "table":
        shown, note = rows_table(console, answer.columns, answer.head(_SHOWN_ROWS), count)
        print_tables(console, shown)
        if note:
            print_line(console, note)
    elif request.out:
        _write_file(answer, form, request.out)
        print_line(console, "The rows are in ", (str(request.out), "bold"), ".")
    else:
        made = folder / "rows"
        answer.write(_file_format(form), made)
        _print_bytes(made)
    return count


def _sql(target: Target, request: QueryRequest) -> str:
    if request.name:
        sql = named_sql(target.client("athena"), target.output("named_queries"), request.name)
    elif request.file:
        sql = _text(request.file)
    else:
        sql = request.sql
    sql = sql.strip().removesuffix(";")
    if not sql:
        raise CommandError("The query is empty: pass SQL with --sql or --file, or the name of a query.")
    return with_parameters(sql, request.parameters) if request.parameters else sql


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CommandError(f"Cannot read {file} ({reason}): pass a text file with one SQL statement.") from error


def _bill(target: Target, query: FinishedQuery) -> str:
    scanned = f"{query.scanned / 1e6:,.1f} MB scanned"
    if target.local:
        return f"{scanned}. The local cloud costs nothing."
    return f"{scanned}, about {query.usd:.5f} USD." if query.usd else f"{scanned}, free of charge."


def _file_format(form: str) -> FileFormat:
    formats: Mapping[str, FileFormat] = {"csv": "csv", "json": "json", "parquet": "parquet"}
    return formats[form]


def _write_file(answer: QueryAnswer, form: str, out: Path) -> None:
    """Write a file; an earlier one is replaced once the new one is complete."""
    try:
        with tempfile.TemporaryDirectory(prefix=".spotify-etl-", dir=out.parent) as folder:
            made = Path(folder) / out.name
            answer.write(_file_format(form), made)
            made.replace(out)
    except OSError as error:
        raise CommandError(f"Cannot write {out} ({error.strerror}): choose another place with --out.") from error


def _print_bytes(path: Path) -> None:
    """Copy a file to standard output; a reader that has seen enough, such as `head`, is no error."""
    sys.stdout.flush()
    try:
        with path.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python would complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
