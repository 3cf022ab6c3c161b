"""Runs the checks and prints a line for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import Console

from cli.doctor.check import Check, guarded
from cli.doctor.machine import check_machine
from cli.doctor.spotify import check_spotify
from cli.doctor.stack import (
    check_buckets,
    check_caller,
    check_catalog,
    check_dead_letters,
    check_errors,
    check_functions,
    check_key,
    check_lake_formation,
    check_workgroup,
)
from cli.errors import CommandError
from cli.presentation import pluralize, print_line
from cli.targets import Target

_STYLES = {"ok": "green", "warn": "yellow", "fail": "bold red", "not checked": "dim"}
_CHECKS: tuple[tuple[str, Callable[[Target], Iterator[Check]]], ...] = (
    ("Buckets", check_buckets),
    ("Functions", check_functions),
    ("Secret", check_spotify),
    ("KMS key", check_key),
    ("Lake Formation", check_lake_formation),
    ("Tables", check_catalog),
    ("Workgroup", check_workgroup),
    ("Dead letters", check_dead_letters),
    ("Log", check_errors),
)


def examine(find: Callable[[], Target], *, console: Console) -> None:
    """Check everything, and print a line for each check.

    Args:
        find: returns the target; its error is one of the lines.
        console: where to print.

    Raises:
        CommandError: a check failed.
    """
    failed = 0
    for check in _checks(find, console):
        failed += check.level == "fail"
        print_line(
            console, (f"{check.level:<12}", _STYLES[check.level]), (f"{check.subject:<15}", "bold"), f" {check.text}"
        )
    if failed:
        raise CommandError(f"{pluralize(failed, 'check')} failed: the lines above say what to do.")


def _checks(find: Callable[[], Target], console: Console) -> Iterator[Check]:
    try:
        target = find()
    except CommandError as error:
        yield from check_machine(needs_pulumi=True)
        yield Check("fail", "Pipeline", str(error))
        return
    target.announce(console)
    yield from check_machine(needs_pulumi=target.local is None)
    callers = list(guarded("Credentials", lambda: check_caller(target)))
    yield from callers
    if any(check.level == "fail" for check in callers):
        yield Check(
            "not checked",
            "AWS",
            "Nothing else can be checked without credentials: log in to AWS, for instance with "
            "`aws sso login`, or set AWS_PROFILE.",
        )
        return
    for subject, check in _CHECKS:
        yield from guarded(subject, lambda check=check: check(target))  # type: ignore[misc] # the default binds the loop's value
