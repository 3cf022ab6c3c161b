"""`spotify-etl query`: runs a query in the workgroup, lists the named ones, or reads queries in a shell."""

from __future__ import annotations

from rich.console import Console

from cli.athena_queries import named_queries
from cli.presentation import print_line, terminal
from cli.query.answering import answer_query
from cli.query.named import grouped
from cli.query.request import QueryRequest
from cli.query_parameters import parameters_of
from cli.targets import Target, aws_errors, find_target

_FILE_WIDTH = 10_000


def run_query_command(request: QueryRequest, *, stack: str, local: bool) -> None:
    """Run a query, or list the named queries if the request has none.

    Args:
        request: what is asked.
        stack: value of `--stack`.
        local: value of `--local`.

    Raises:
        CommandError: the request contradicts itself, there is no such query, it failed, or a file cannot be written.
    """
    form = request.checked_form()
    to_stdout = request.out is None and form != "table"
    console = Console(stderr=True) if to_stdout else terminal()
    if not console.is_terminal:
        # Rich would squeeze a table into 80 characters.
        console.width = _FILE_WIDTH
    target = find_target(stack, local=local)
    target.announce(console)
    if request.interactive:
        from cli.query.shell import run_shell  # noqa: PLC0415 - prompt_toolkit takes a while to import

        run_shell(target, console)
        return
    with aws_errors():
        if request.names_a_query:
            answer_query(target, request, form, console)
        else:
            _list(target, console)


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
    print_line(
        console, "Run one with `spotify-etl query NAME`. In brackets are its parameters, for example --param number=10."
    )
