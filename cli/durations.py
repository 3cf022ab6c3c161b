"""Points in time as a person types them: a span such as `90m` back from now, or a date."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from cli.errors import CommandError

_SPAN = re.compile(r"(?P<number>[0-9]{1,4}) ?(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_before(now: datetime, text: str, option: str) -> datetime:
    """Return the moment that an option names.

    Args:
        now: the current time, aware.
        text: `30s`, `15m`, `1h`, `2d`, `1w`, or a date or time of ISO 8601; without an offset it is in UTC.
        option: the option, for the message.

    Raises:
        CommandError: the text is none of these.
    """
    if found := _SPAN.fullmatch(text.strip()):
        return now - timedelta(**{_UNITS[found["unit"]]: int(found["number"])})
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CommandError(
            f"{option} is {text!r}, but must be a span such as 30m, 1h or 2d, or a date such as 2026-11-23."
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)


def parse_date(text: str, option: str) -> date:
    """Return the date that an option names.

    Raises:
        CommandError: the text is not a date.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise CommandError(f"{option} is {text!r}, but must be a date such as 2026-11-23.") from None
