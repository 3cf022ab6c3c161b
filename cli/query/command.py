"""`spotify-etl query`: runs a named query or SQL in the workgroup, and shows the rows or writes them to a file."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from cli.athena_queries import FinishedQuery, execute, named_queries
from cli.errors import CommandError
from cli.presentation import bar_chart, pluralize, print_line, print_tables, progress_bar, terminal
from cli.query.answers import FileFormat, QueryAnswer, fetch
from cli.query.charts import MOST_BARS, SUFFIXES, read_bars, save_chart
from cli.query.named import grouped, named_sql
from cli.query.tables import rows_table
from cli.query_parameters import parameters_of, with_parameters
from cli.targets import Target, aws_errors, find_target

FORMATS = ("table", "csv", "json", "parquet")
_FORMAT_OF_SUFFIX = {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".parquet": "parquet"}
_SHOWN_ROWS = 40
_FILE_WIDTH = 10_000


@dataclass(frozen=True, kw_only=True)
class QueryRequest:
    """What is asked, and where the rows go."""

    name: str = ""
    """Of a named query."""
    sql: str = ""
    file: Path | None = None
    """A file with SQL; `-` is standard input."""
    form: str = ""
    """One of `FORMATS`; '' for what the name of `out` says, or a table."""
    out: Path | None = None
    """The file to write; None for standard output."""
    chart: bool = False
    """Whether to draw the rows."""
    parameters: Mapping[str, str] = field(default_factory=dict)


def run_query_command(request: QueryRequest, *, stack: str, local: bool) -> None:
    """Run a query, or list the named queries if the request has none.

    Args:
        request: what is asked.
        stack: value of `--stack`.
        local: value of `--local`.

    Raises:
        CommandError: the request contradicts itself, there is no such query, it failed, or a file cannot be written.
    """
    form = _checked_form(request)
    to_stdout = request.out is None and form != "table"
    console = Console(stderr=True) if to_stdout else terminal()
    if not console.is_terminal:
        # Rich would squeeze a table into 80 characters.
        console.width = _FILE_WIDTH
    target = find_target(stack, local=local)
    target.announce(console)
    with aws_errors():
        if not (request.name or request.sql or request.file):
            _list(target, console)
        else:
            answer_query(target, request, form, console)


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
            print_line(console, f"Done; there are no rows to show. {_bill(target, finished)}")
            return
        rows = _deliver(answer, request, form, request.name or "Query", Path(folder), console)
    print_line(console, f"{pluralize(rows, 'row')} in {finished.seconds:.1f} s. {_bill(target, finished)}")


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
        print_tables(console, rows_table(console, title, answer.columns, answer.head(_SHOWN_ROWS), count))
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
        raise CommandError(f"Cannot read {file} ({error}): pass a text file with one SQL statement.") from error


def _list(target: Target, console: Console) -> None:
    queries = named_queries(target.client("athena"), target.output("named_queries"))
    width = max(map(len, queries), default=0)
    for group, names in grouped(queries).items():
        print_line(console)
        print_line(console, (group, "bold"))
        for name in names:
            parameters = ", ".join(parameter.name for parameter in parameters_of(queries[name]["QueryString"]))
            print_line(
                console,
                f"  {name:{width}}  {queries[name].get('Description', '')}",
                (f"  ({parameters})" if parameters else "", "dim"),
            )
    print_line(console)
    print_line(console, "Run one with `spotify-etl query NAME`; those in brackets take --param, such as number=10.")


def _bill(target: Target, query: FinishedQuery) -> str:
    scanned = f"{query.scanned / 1e6:,.1f} MB scanned"
    if target.local:
        return f"{scanned}; the local cloud costs nothing."
    return f"{scanned}, about {query.usd:.5f} USD." if query.usd else f"{scanned}, free of charge."


def _checked_form(request: QueryRequest) -> str:
    """Return the format of the rows.

    Raises:
        CommandError: options contradict each other.
    """
    given = [one for one in (request.name, request.sql, request.file) if one]
    if len(given) > 1:
        raise CommandError("Pass one of NAME, --sql and --file: a command runs one query.")
    if not given and (request.form or request.out or request.chart or request.parameters):
        raise CommandError("Which query? Pass its name, --sql or --file; without options, all names are listed.")
    if request.out and not request.out.parent.is_dir():
        raise CommandError(f"There is no folder {request.out.parent} for {request.out.name}: create it first.")
    suffix = request.out.suffix.lower() if request.out else ""
    if request.chart:
        if request.form:
            raise CommandError("Pass either --chart or --format: a chart is not a list of rows.")
        if suffix and suffix not in SUFFIXES:
            raise CommandError(f"A chart is an image or a page: --out must end with {', '.join(SUFFIXES)}.")
        return "table"
    if request.form and request.form not in FORMATS:
        raise CommandError(f"There is no format {request.form}: choose one of {', '.join(FORMATS)}.")
    form = request.form or _FORMAT_OF_SUFFIX.get(suffix, "")
    if request.out and form in {"", "table"}:
        raise CommandError("Which format? Pass --format csv, json or parquet, or an --out that ends with one of them.")
    if form == "parquet" and not request.out and sys.stdout.isatty():
        raise CommandError("Parquet is not text: pass a file with --out, or redirect the output.")
    return form or "table"


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
