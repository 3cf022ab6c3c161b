"""The calendar file of a login: reminders to log in again before Spotify's six months are over."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from handlers.login_lifetime import LIFETIME_DAYS, MONTH_DAYS, WEEK_DAYS

_REMINDERS = (("month", MONTH_DAYS), ("week", WEEK_DAYS))
"""Name, which is part of the event's id, and how many days before the end it is."""
_NAMESPACE = uuid.UUID("0a8d6c55-5d5b-4e43-9d0a-9a3f6b0e4f51")
"""Namespace of the events' ids."""
_ALARM = timedelta(hours=9)
"""When a calendar rings, after the day has begun."""


@dataclass(frozen=True, kw_only=True)
class LoginPeriod:
    """A login that ends."""

    secret_arn: str
    """The secret that holds it: what tells the logins of two stacks apart, and stays the same at the next login."""
    title: str
    """Whose login it is, such as `the stack dev in eu-central-1`."""
    command: str
    """The command that logs in again."""
    authorized_at: datetime
    """When the user consented; aware."""

    @property
    def ends_on(self) -> date:
        """The day on which it ends."""
        return (self.authorized_at + timedelta(days=LIFETIME_DAYS)).date()


def calendar_name(name: str) -> str:
    """Return the name of the file for a stack."""
    return f"spotify-login-{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.ics"


def calendar_text(login: LoginPeriod) -> bytes:
    """Return a calendar with two whole-day events, each with an alarm.

    Most calendars replace an event by one with the same id and a higher sequence number, so the reminders of the next
    login take the place of these.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//spotify-etl//login//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    for name, days in _REMINDERS:
        calendar.add_component(_event(login, name, days))
    content: bytes = calendar.to_ical()
    return content


def _event(login: LoginPeriod, name: str, days: int) -> Event:
    day = login.ends_on - timedelta(days=days)
    summary = f"Log in to Spotify again: {login.title}"
    event = Event()
    event.add("uid", f"{uuid.uuid5(_NAMESPACE, f'{login.secret_arn} {name}')}@spotify-etl")
    # Minutes fit into the 32 bits that calendars have for it.
    event.add("sequence", int(login.authorized_at.timestamp() // 60))
    event.add("dtstamp", login.authorized_at.astimezone(UTC))
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", summary)
    event.add(
        "description",
        f"The login ends on {login.ends_on}; from then on nothing is read.\nRun: {login.command}",
    )
    event.add("transp", "TRANSPARENT")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", _ALARM)
    event.add_component(alarm)
    return event
