from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.extract.configuration import Configuration, ConfigurationError
from handlers.extract.event import Event, EventError
from handlers.extract.handler import handler
from handlers.streams import READABLE_STREAMS, STREAMS
from tests.handlers.extract.fake_spotify import FakeSpotify
from tests.handlers.extract.stage import Context, Stage, environment

ENABLED = ("profile", "saved_tracks")
AT = "2026-11-23T06:00:00Z"


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (None, "The event is empty"),
        ([], "The event is a list"),
        ({"trigger": None}, "trigger is None instead of one of daily, hourly, manual"),
        ({"trigger": "weekly"}, "trigger is 'weekly'"),
        ({"trigger": ["daily"]}, "trigger is \\['daily'\\]"),
        ({"trigger": "daily", "stream": []}, "unknown key 'stream'"),
        ({"trigger": "daily", "scheduled_time": "today"}, "scheduled_time is 'today'"),
        ({"trigger": "daily", "scheduled_time": "2026-11-23T06:00:00"}, "scheduled_time is"),
        ({"trigger": "daily", "scheduled_time": 7}, "scheduled_time is 7"),
        ({"trigger": "manual", "streams": "profile"}, "streams is 'profile' instead of a list"),
        ({"trigger": "manual", "streams": []}, "streams is \\[\\]"),
        ({"trigger": "manual", "streams": [7]}, "streams is \\[7\\]"),
        ({"trigger": "manual", "streams": ["songs"]}, "streams has 'songs', which is not one of profile, "),
        ({"trigger": "manual", "streams": ["playlists"]}, "'playlists' is not enabled.*from profile, saved_tracks"),
        ({"trigger": "daily", "full": "yes"}, "full is 'yes' instead of true or false"),
        ({"trigger": "daily", "continuation": "20261123T060000Z-daily"}, "continuation is"),
        ({"trigger": "daily", "continuation": {"run_id": "20261123T060000Z-daily"}}, "continuation is"),
        ({"trigger": "daily", "continuation": {"run_id": "20261123T060000Z-hourly", "number": 1}}, "a daily run"),
        ({"trigger": "daily", "continuation": {"run_id": "../x", "number": 1}}, "run_id is '../x'"),
        ({"trigger": "daily", "continuation": {"run_id": 7, "number": 1}}, "run_id is 7"),
        ({"trigger": "daily", "continuation": {"run_id": "20261123T060000Z-daily", "number": 13}}, "number is 13"),
        ({"trigger": "daily", "continuation": {"run_id": "20261123T060000Z-daily", "number": True}}, "number is True"),
    ],
)  # fmt: skip
def test_wrong_event_is_one_clear_sentence(event: Any, message: str) -> None:
    with pytest.raises(EventError, match=message) as error:
        Event.parse(event, ENABLED)
    assert "\n" not in str(error.value)


def test_scheduled_event() -> None:
    event = Event.parse({"trigger": "hourly", "scheduled_time": "2026-11-23T07:00:00.25+01:00"}, ENABLED)
    assert event == Event(
        trigger="hourly",
        run_id="20261123T060000Z-hourly",
        scheduled_at=datetime(2026, 11, 23, 6, tzinfo=UTC),
        streams=None,
        full=False,
    )


def test_continuation_goes_on_under_the_first_run() -> None:
    event = Event.parse(
        {
            "trigger": "daily",
            "scheduled_time": "2026-11-23T06:20:00Z",
            "continuation": {"run_id": "20261123T060000Z-daily", "number": 2},
        },
        ENABLED,
    )
    assert (event.run_id, event.scheduled_at) == ("20261123T060000Z-daily", datetime(2026, 11, 23, 6, tzinfo=UTC))


@pytest.mark.parametrize(
    ("event", "covered"),
    [
        ({"trigger": "daily"}, set(READABLE_STREAMS) - {"recently_played"}),
        ({"trigger": "hourly"}, {"recently_played"}),
        ({"trigger": "manual"}, set(READABLE_STREAMS)),
        ({}, set(READABLE_STREAMS)),
        ({"trigger": "manual", "streams": ["recently_played", "profile"]}, {"recently_played", "profile"}),
        ({"trigger": "daily", "streams": ["recently_played", "profile"]}, {"profile"}),
    ],
)
def test_trigger_covers_its_streams(event: Any, covered: set[str]) -> None:
    parsed = Event.parse(event, tuple(STREAMS))
    assert {name for name, stream in STREAMS.items() if parsed.covers(stream)} == covered


def test_wrong_event_reads_nothing_and_is_raised(stage: Stage) -> None:
    with pytest.raises(EventError, match="trigger is 'weekly'"):
        handler({"trigger": "weekly"}, Context())  # type: ignore[arg-type] # a stand-in for Lambda's
    assert stage.keys() == []
    assert stage.spotify.token_calls == 0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RAW_BUCKET", "", "RAW_BUCKET is missing"),
        ("SPOTIFY_SECRET_ARN", "", "SPOTIFY_SECRET_ARN is missing"),
        ("STREAMS", "profile,songs", "STREAMS contains 'songs', which is not one of profile"),
        ("TRANSFORMED_RETENTION_DAYS", "a month", "TRANSFORMED_RETENTION_DAYS is 'a month'"),
        ("TRANSFORMED_RETENTION_DAYS", "0", "TRANSFORMED_RETENTION_DAYS is '0'"),
    ],
)
def test_wrong_environment_is_one_clear_sentence(spotify: FakeSpotify, name: str, value: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        Configuration.from_environment(environment(spotify, "arn") | {name: value})


def test_environment_is_read_in_the_order_of_the_registry(spotify: FakeSpotify) -> None:
    configuration = Configuration.from_environment(
        environment(spotify, "arn")
        | {"STREAMS": " saved_tracks, profile,", "SPOTIFY_API_URL": "https://api.spotify.com/v1"}
    )
    assert configuration.streams == ("profile", "saved_tracks")
    assert configuration.api_url == "https://api.spotify.com/v1/"
