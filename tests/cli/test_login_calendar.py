"""The calendar file of a login, read by RFC 5545 to the letter."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from cli.login_calendar import LoginPeriod, calendar_name, calendar_text
from handlers.login_lifetime import LIFETIME_DAYS

NOW = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
LINE = re.compile(r'(?P<name>[A-Z-]+)(?P<parameters>(;[A-Z-]+=[^;:",]+)*):(?P<value>[^\x00-\x08\x0a-\x1f\x7f]*)')
Event = dict[str, str]


def period(title: str = "the stack dev in eu-central-1", arn: str = "arn:1", at: datetime = NOW) -> LoginPeriod:
    return LoginPeriod(secret_arn=arn, title=title, command="spotify-etl login --stack dev", authorized_at=at)


def events(content: bytes) -> list[Event]:
    """Parse a calendar; every rule about lines, folds and nesting is asserted."""
    assert content.endswith(b"\r\n")
    physical = content.removesuffix(b"\r\n").split(b"\r\n")
    assert all(len(line) <= 75 and b"\n" not in line and b"\r" not in line for line in physical)
    # Folded in the middle of a character, a line could not be decoded by itself.
    lines = "\n".join(line.decode("utf-8") for line in physical).replace("\n ", "").split("\n")
    nesting: list[str] = []
    found: list[Event] = []
    for line in lines:
        match = LINE.fullmatch(line)
        assert match, line
        name, value = match["name"], match["value"]
        if name == "BEGIN":
            nesting.append(value)
            if value == "VEVENT":
                found.append({})
        elif name == "END":
            assert nesting.pop() == value
        elif nesting[-1] != "VCALENDAR":
            key = name if nesting[-1] == "VEVENT" else f"{nesting[-1]} {name}"
            assert key not in found[-1]
            found[-1][key] = text(value) if name in {"SUMMARY", "DESCRIPTION"} else match["parameters"] + value
    assert nesting == []
    return found


def text(value: str) -> str:
    assert re.fullmatch(r"(?:[^\\,;]|\\[\\,;nN])*", value), value
    return re.sub(r"\\(.)", lambda escaped: "\n" if escaped[1] in "nN" else escaped[1], value)


def test_two_whole_days_with_an_alarm_before_the_login_ends() -> None:
    month, week = events(calendar_text(period()))

    end = NOW.date() + timedelta(days=LIFETIME_DAYS)
    assert end == date(2027, 5, 30)
    assert (month["DTSTART"], month["DTEND"]) == (";VALUE=DATE20270429", ";VALUE=DATE20270430")
    assert (week["DTSTART"], week["DTEND"]) == (";VALUE=DATE20270523", ";VALUE=DATE20270524")
    for event in (month, week):
        assert event["SUMMARY"] == "Log in to Spotify again: the stack dev in eu-central-1"
        assert event["DESCRIPTION"] == (
            "The login ends on 2027-05-30; from then on nothing is read.\nRun: spotify-etl login --stack dev"
        )
        assert event["DTSTAMP"] == "20261128T093000Z"
        assert (event["VALARM ACTION"], event["VALARM TRIGGER"]) == ("DISPLAY", "PT9H")
        assert event["VALARM DESCRIPTION"] == event["SUMMARY"]


def test_the_next_login_replaces_the_events() -> None:
    before = events(calendar_text(period()))
    after = events(calendar_text(period(at=NOW + timedelta(minutes=1))))

    assert [event["UID"] for event in before] == [event["UID"] for event in after]
    assert len({event["UID"] for event in before}) == 2
    assert [int(event["SEQUENCE"]) + 1 for event in before] == [int(event["SEQUENCE"]) for event in after]
    assert int(after[0]["SEQUENCE"]) < 2**31


def test_logins_of_two_stacks_stay_apart() -> None:
    one, other = (events(calendar_text(period(arn=arn))) for arn in ("arn:1", "arn:2"))
    assert {event["UID"] for event in one}.isdisjoint(event["UID"] for event in other)


@pytest.mark.parametrize("title", ['a, b; c\\n: "d"', "é" * 200, "🎧" * 90, "x\r\nEND:VEVENT"])
def test_any_title_is_text(title: str) -> None:
    for event in events(calendar_text(period(title))):
        assert event["SUMMARY"] == f"Log in to Spotify again: {title}".replace("\r\n", "\n")


def test_the_name_of_the_file_is_that_of_the_stack() -> None:
    assert calendar_name("dev") == "spotify-login-dev.ics"
    assert calendar_name("me/spotify-etl/../dev") == "spotify-login-me-spotify-etl-..-dev.ics"
