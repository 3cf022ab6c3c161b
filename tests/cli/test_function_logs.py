"""What the functions' log lines become."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.errors import CommandError, StillRunningError
from cli.function_logs import LogLine
from cli.logs import LogRequest, show_logs
from tests.cli.screen import Screen, target_with

AT = datetime(2026, 11, 2, 5, 0, tzinfo=UTC)
POWERTOOLS = {
    "level": "WARNING",
    "location": "_log:128",
    "message": "Unit incomplete.",
    "timestamp": "2026-11-02 04:59:58,250+0000",
    "service": "extract",
    "cold_start": True,
    "function_request_id": "1-2",
    "run_id": "20261102T045900Z-daily",
    "stream": "saved_tracks",
    "reason": "locked",
}


def event(message: object, number: int = 1) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"eventId": str(number), "timestamp": int(AT.timestamp() * 1000) + number, "message": text}


def parse(message: object) -> LogLine | None:
    return LogLine.parse("extract", event(message))


def test_powertools_line_keeps_what_readers_need() -> None:
    line = parse(POWERTOOLS)
    assert line
    assert (line.level, line.message, line.request_id) == ("WARNING", "Unit incomplete.", "1-2")
    assert line.at == datetime(2026, 11, 2, 4, 59, 58, 250_000, tzinfo=UTC)
    assert line.fields == {"run_id": "20261102T045900Z-daily", "stream": "saved_tracks", "reason": "locked"}


def test_summary_is_spread_and_an_exception_is_its_last_line() -> None:
    line = parse(
        {**POWERTOOLS, "summary": {"status": "failed", "reason": None}, "exception": "Traceback\nKeyError: 'a'"}
    )
    assert line
    assert line.fields["status"] == "failed"
    assert line.fields["error"] == "KeyError: 'a'"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("[ERROR] ConfigurationError: AUTH_MODE is missing.", "ConfigurationError: AUTH_MODE is missing."),
        ({"errorType": "KeyError", "errorMessage": "'a'", "requestId": "1-2", "level": "ERROR"}, "KeyError: 'a'"),
        ("2026-11-02T05:00:00.000Z 1-2 Task timed out after 900.10 seconds", "Task timed out after 900.10 seconds."),
        (
            {"type": "platform.report", "time": "2026-11-02T05:00:00Z", "record": {"status": "timeout"}},
            "The invocation ended with timeout.",
        ),
    ],
)
def test_crash_is_an_error_in_every_form(message: object, expected: str) -> None:
    line = parse(message)
    assert line
    assert (line.level, line.message, line.is_crash) == ("ERROR", expected, True)


@pytest.mark.parametrize(
    "message",
    [
        "START RequestId: 1-2 Version: $LATEST",
        "END RequestId: 1-2",
        "REPORT RequestId: 1-2\tDuration: 3 ms",
        '  File "handler.py", line 1',
        {"type": "platform.start", "record": {}},
        {"type": "platform.report", "record": {"status": "success"}},
        {"_aws": {}, "Requests": [1.0]},
        "",
    ],
)
def test_line_about_nothing_is_left_out(message: object) -> None:
    assert parse(message) is None


class Functions:
    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        headers = {"date": "Mon, 02 Nov 2026 05:00:00 GMT"}
        return {
            "FunctionArn": "arn",
            "Role": "role",
            "Timeout": 900,
            "MemorySize": 512,
            "ResponseMetadata": {"HTTPHeaders": headers},
        }


class Logs:
    """CloudWatch Logs with given events by group."""

    class exceptions:  # noqa: N801 - boto3's name
        class ResourceNotFoundException(Exception):  # noqa: N818 - boto3's name
            pass

    def __init__(self, events: dict[str, list[dict[str, Any]]]) -> None:
        self.events = events

    def get_paginator(self, _name: str) -> Logs:
        return self

    def paginate(self, *, logGroupName: str, startTime: int, filterPattern: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        if logGroupName not in self.events:
            raise self.exceptions.ResourceNotFoundException
        text = filterPattern.strip('"')
        found = [one for one in self.events[logGroupName] if one["timestamp"] >= startTime and text in one["message"]]
        yield {"events": found}


OUTPUTS = {
    "log_group_names": {"extract": "/e", "transform": "/t", "publish": "/p", "compact": "/c"},
    **{f"{step}_function_name": step for step in ("extract", "transform", "publish", "compact")},
}


def show(events: dict[str, list[dict[str, Any]]], request: LogRequest, *, follow: bool = False) -> list[str]:
    screen = Screen()
    target = target_with(OUTPUTS, logs=Logs(events), **{"lambda": Functions()})
    show_logs(target, request, follow=follow, console=screen.console, poll_seconds=0, polls=2)
    return screen.lines


def test_lines_of_all_functions_are_merged_and_readable() -> None:
    events = {
        "/e": [event({**POWERTOOLS, "reason": "two words", "rows": {"plays": 2}}, 1)],
        "/t": [event({"level": "INFO", "message": "Earlier.", "timestamp": "2026-11-02 04:58:00,000+0000"}, 2)],
    }
    assert show(events, LogRequest()) == [
        "Using the stack dev in eu-central-1.",
        "2026-11-02 04:58:00  transform  INFO     Earlier.",
        (
            "2026-11-02 04:59:58  extract    WARNING  Unit incomplete.  run_id=20261102T045900Z-daily  "
            'stream=saved_tracks  reason="two words"  rows=plays:2'
        ),
    ]


def test_following_prints_each_line_once() -> None:
    lines = show({"/e": [event(POWERTOOLS)], "/t": []}, LogRequest(function="extract"), follow=True)
    assert len(lines) == 2


def test_stopped_command_says_what_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.logs.time.sleep", stop)
    with pytest.raises(StillRunningError, match=r"^Stopped\. The pipeline itself keeps running\.$"):
        show({"/e": [event(POWERTOOLS)]}, LogRequest(), follow=True)


def test_crash_of_a_run_is_found_by_its_invocation() -> None:
    crash = {"errorType": "MemoryError", "errorMessage": "", "requestId": "1-2"}
    events = {"/e": [event(POWERTOOLS, 1), event(crash, 2), event({**crash, "requestId": "3"}, 3)]}
    lines = show(events, LogRequest(run_id="20261102T045900Z-daily"))
    assert [line.split(maxsplit=4)[4].split("  ")[0] for line in lines[1:]] == ["Unit incomplete.", "MemoryError"]


def test_escape_sequences_in_a_line_do_not_reach_the_terminal() -> None:
    assert "\x1b" not in show({"/e": [event({**POWERTOOLS, "reason": "\x1b[2J"})]}, LogRequest())[1]


def test_nothing_logged_says_so() -> None:
    assert show({}, LogRequest())[1] == "The functions have logged nothing since 2026-11-02 04:00:00 UTC."


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (LogRequest(function="load"), "--function is 'load', but must be one of extract, transform, publish, compact."),
        (LogRequest(run_id="today"), "--run is 'today', but must be the id of a run, such as "),
        (LogRequest(since="soon"), "--since is 'soon', but must be a span such as 30m, 1h or 2d, or a date"),
    ],
)
def test_wrong_option_is_one_sentence(request_: LogRequest, message: str) -> None:
    with pytest.raises(CommandError) as error:
        show({}, request_)
    assert str(error.value).startswith(message)
