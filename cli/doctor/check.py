"""The result of a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

from cli.errors import CommandError
from cli.text import quoted

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
    found: list[Check] = []
    try:
        # What was found before the error counts.
        for one in check():
            found.append(one)  # noqa: PERF402 - the loop may be interrupted by an error
    except (BotoCoreError, ClientError) as error:
        found.append(_refused(subject, error, f"AWS did not answer ({quoted(error).rstrip('.')})."))
    except CommandError as error:
        found.append(_refused(subject, error.__cause__, str(error)))
    yield from found


def _refused(subject: str, cause: BaseException | None, text: str) -> Check:
    code = cause.response.get("Error", {}).get("Code", "") if isinstance(cause, ClientError) else ""
    return Check("not checked" if "Denied" in code or "NotAuthorized" in code else "fail", subject, text)
