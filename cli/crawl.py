"""`spotify-etl crawl`: registers new partitions and columns, so that Athena sees them."""

from __future__ import annotations

from rich.console import Console

from cli.following import follow_crawl
from cli.presentation import Steps, print_line
from cli.targets import find_target


def run_crawl(*, stack: str, local: bool, console: Console) -> None:
    """Crawl and publish, and follow both to the end.

    Args:
        stack: value of `--stack`.
        local: value of `--local`.
        console: where progress is printed.

    Raises:
        CommandError: a step failed, or AWS refused a request.
    """
    target = find_target(stack, local=local)
    target.announce(console)
    follow_crawl(target, Steps(console))
    print_line(console, "Athena now has everything that was transformed when the crawl began.")
