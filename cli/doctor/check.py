"""The result of a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import ClientError

from cli.errors import CommandError
from cli.targets import aws_errors

Level = Literal["ok", "warn", "fail", "not checked"]


@dataclass(frozen=True)
class Check:
    """One line of the doctor's report."""

    level: Level
    subject: str
    text: str
    """What was found, and unless it is fine what to do."""


def guarded(subject: str, check: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Run a check; what AWS does not let it look at is a line of its own."""
    try:
        with aws_errors():
            yield from check()
    except CommandError as error:
        cause = error.__cause__
        code = cause.response.get("Error", {}).get("Code", "") if isinstance(cause, ClientError) else ""
        is_denied = "Denied" in code or "NotAuthorized" in code
        yield Check("not checked" if is_denied else "fail", subject, str(error))
