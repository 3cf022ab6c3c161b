from __future__ import annotations

from datetime import timedelta

import pytest

from cli.local_cloud.durations import DurationError, parse_duration


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("3d", timedelta(days=3)),
        ("12h", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
        ("1d12h30m", timedelta(days=1, hours=12, minutes=30)),
        (" 1D 2H ", timedelta(days=1, hours=2)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_days_hours_and_minutes(text: str, span: timedelta) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize("text", ["", "3", "d", "3 weeks", "-1d", "1.5d", "2h1d", "٣d", "3d!", "9" * 50 + "d"])
def test_anything_else_says_what_is_expected(text: str) -> None:
    with pytest.raises(DurationError, match="is not a duration: write days, hours and minutes, such as 3d"):
        parse_duration(text)


@pytest.mark.parametrize(("text", "message"), [("0d", "at least 1m"), ("367d", "at most 366d")])
def test_durations_have_limits(text: str, message: str) -> None:
    with pytest.raises(DurationError, match=message):
        parse_duration(text)
