"""The result of a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
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
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        level: Level = "not checked" if "Denied" in code or "NotAuthorized" in code else "fail"
        found.append(Check(level, subject, f"AWS refused to say ({quoted(error).rstrip('.')})."))
    except (BotoCoreError, NotImplementedError, ValueError) as error:
        found.append(Check("fail", subject, f"AWS did not respond ({quoted(error).rstrip('.')})."))
    except CommandError as error:
        found.append(Check("fail", subject, str(error)))
    with suppress(GeneratorExit):
        yield from found
