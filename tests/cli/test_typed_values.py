"""Streams and moments as a person types them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from cli.confirmation import confirm
from cli.durations import moment_before, parse_date
from cli.errors import CommandError
from cli.stream_names import parse_stream_names
from tests.cli.screen import Screen

NOW = datetime(2026, 11, 2, 5, 0, tzinfo=UTC)
KNOWN = ("profile", "saved_tracks", "saved_albums")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        (" 2d ", NOW - timedelta(days=2)),
        ("1w", NOW - timedelta(weeks=1)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T06:00+01:00", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ],
)
def test_span_or_date_is_a_moment(text: str, expected: datetime) -> None:
    assert moment_before(NOW, text, "--since") == expected


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1y", "99999999h", "2026-13-01"])
def test_anything_else_is_one_sentence(text: str) -> None:
    with pytest.raises(CommandError, match=rf"^--since is {text!r}, but must be a span such as 30m, 1h or 2d, or a"):
        moment_before(NOW, text, "--since")


def test_date_is_a_date() -> None:
    assert parse_date("2026-11-01", "--before") == date(2026, 11, 1)
    with pytest.raises(CommandError, match=r"^--before is 'yesterday', but must be a date such as 2026-11-23\.$"):
        parse_date("yesterday", "--before")


def test_streams_are_in_their_own_order() -> None:
    assert parse_stream_names(" saved_albums,profile,", KNOWN, "--streams") == ("profile", "saved_albums")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("saved_trakcs", "--streams has 'saved_trakcs', which is not a stream: did you mean saved_tracks?"),
        (
            "podcasts!",
            "--streams has 'podcasts!', which is not a stream: choose from profile, saved_tracks, saved_albums.",
        ),
        (" , ", "--streams is empty: it needs one or more of profile, saved_tracks, saved_albums."),
    ],
)
def test_unknown_stream_brings_the_nearest_name(text: str, message: str) -> None:
    with pytest.raises(CommandError) as error:
        parse_stream_names(text, KNOWN, "--streams")
    assert str(error.value) == message


def test_only_the_right_answer_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: " dev ")
    confirm(Screen().console, "Type dev", "dev")
    monkeypatch.setattr("builtins.input", lambda *_: "yes")
    with pytest.raises(CommandError, match=r"^Nothing was deleted: the answer was not the expected one\.$"):
        confirm(Screen().console, "Type dev", "dev")


def test_nobody_to_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", end)
    with pytest.raises(CommandError, match=r"run it in a terminal, or pass --yes\.$"):
        confirm(Screen().console, "Type dev", "dev")
