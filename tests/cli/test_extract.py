"""How a run is started and followed, with a function that writes what a test gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cli.errors import CommandError, StillRunningError
from cli.extract import extract
from handlers import layout
from handlers.extract.event import Event
from tests.cli.operated_stack import OperatedStack
from tests.cli.screen import Screen
from tests.cli.test_function_logs import Logs, event
from tests.cli.test_runs import unit

RUN = "20261102T063000Z-manual"
"""The run that starts when AWS's clock shows what `Functions` says."""


@pytest.fixture(name="stack")
def fixture_stack(operated_stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> OperatedStack:
    """Provide a stack whose transform and crawl are done at once."""
    operated_stack.clients["logs"] = Logs({})
    monkeypatch.setattr("cli.extract.follow_transform", lambda *_, **__: None)
    monkeypatch.setattr("cli.extract.follow_crawl", lambda *_, **__: None)
    return operated_stack


def writes(stack: OperatedStack, *attempts: dict[str, Any], rows: dict[str, int] | None = None) -> None:
    """Let the function write these manifests, and the transform these rows of each."""
    for number, content in enumerate(attempts):
        key = str(layout.ManifestKey(RUN, number))
        stack.put("raw_bucket_name", key, content)
        stack.put("transformed_bucket_name", layout.outputs_key(key), {"rows": rows or {}})


def manifest(status: str, *units: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    return {"status": status, "reason": reason, "units": list(units)}


def run(stack: OperatedStack, streams: str = "", *, full: bool = False, follow: bool = True) -> Screen:
    screen = Screen()
    extract(stack.target, streams=streams, full=full, follow=follow, console=screen.console, poll_seconds=0)
    return screen


def test_event_is_one_that_the_function_accepts(stack: OperatedStack) -> None:
    screen = run(stack, "saved_tracks,profile", full=True, follow=False)
    (sent,) = stack.functions.invoked
    parsed = Event.parse(sent, ("profile", "recently_played", "saved_tracks"))
    assert (parsed.run_id, parsed.trigger, parsed.full) == (RUN, "manual", True)
    assert parsed.streams == ("profile", "saved_tracks")
    assert parsed.scheduled_at == datetime(2026, 11, 2, 6, 30, tzinfo=UTC)
    assert screen.lines == [
        "Using the stack dev in eu-central-1.",
        f"Started the run {RUN}, which reads profile, saved_tracks.",
        f"It runs in the background: `spotify-etl logs --run {RUN}` shows its progress.",
    ]


def test_without_streams_the_function_decides(stack: OperatedStack) -> None:
    run(stack, follow=False)
    assert "streams" not in stack.functions.invoked[0]


def test_complete_run_ends_with_its_rows(stack: OperatedStack) -> None:
    first = manifest("partial", unit("saved_tracks", "partial", "continued"), unit("profile", "complete"))
    writes(stack, first, manifest("complete", unit("saved_tracks", "complete")), rows={"saved_tracks": 25})
    screen = run(stack)
    assert "The invocation ran out of time; another one continues the run." in screen.text
    assert "2 invocations, 6 requests to Spotify, 30 new records" in screen.text
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in screen.lines if "│" in line]
    assert ["saved_tracks", "complete", "4", "20", "2", ""] in rows
    assert ["saved_tracks", "50"] in rows
    assert screen.lines[-1] == "Query them with `spotify-etl query`, or run `spotify-etl report --open`."


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            manifest("skipped", unit("profile", "skipped", "not_logged_in"), reason="not_logged_in"),
            "Nobody has logged in to Spotify yet: run `spotify-etl login`, then this command again.",
        ),
        (
            manifest("skipped", reason="nothing_due"),
            "The stack reads none of these streams: add them to the setting `streams`, and run `pulumi up`.",
        ),
        (
            manifest(
                "failed",
                unit("profile", "failed", "invalid_grant"),
                reason="The login has expired or was revoked (invalid_grant): run `spotify-etl login` again.",
            ),
            "The run failed: The login has expired or was revoked (invalid_grant): run `spotify-etl login` again.",
        ),
        (
            manifest("failed", unit("profile", "failed", "down"), reason="Spotify is down."),
            "The run failed: Spotify is down; see `spotify-etl logs`.",
        ),
        (
            manifest(
                "partial",
                unit("saved_tracks", "partial", "locked", locked_until="2026-11-03T06:30:00.000Z"),
                reason="locked",
            ),
            "Spotify accepts no requests until 2026-11-03 06:30 UTC: the next run after that reads what is missing.",
        ),
        (
            manifest("partial", unit("profile", "complete"), unit("saved_tracks", "partial", "short")),
            (
                "saved_tracks is not complete (saved_tracks: short): the next run continues, or run "
                "`spotify-etl extract` again."
            ),
        ),
    ],
)
def test_run_without_result_is_one_sentence(stack: OperatedStack, content: dict[str, Any], message: str) -> None:
    writes(stack, content)
    with pytest.raises(CommandError) as error:
        run(stack)
    assert str(error.value) == message


def test_crash_before_the_manifest_is_one_sentence(stack: OperatedStack) -> None:
    at = int(datetime(2026, 11, 2, 6, 30, 5, tzinfo=UTC).timestamp() * 1000)
    crash = event({"errorType": "ConfigurationError", "errorMessage": "AUTH_MODE is missing."}) | {"timestamp": at}
    stack.clients["logs"] = Logs({"/extract": [crash]})
    with pytest.raises(
        CommandError, match=r"^The function crashed \(ConfigurationError: AUTH_MODE is missing\.\), and Lambda will try"
    ):
        run(stack)


def test_waits_are_shown_as_they_happen(stack: OperatedStack) -> None:
    at = int(datetime(2026, 11, 2, 6, 30, 5, tzinfo=UTC).timestamp() * 1000)
    wait = {"level": "INFO", "message": "Spotify asks for a wait (429).", "run_id": RUN, "seconds": 7}
    other = {**wait, "run_id": "20261102T062000Z-hourly", "seconds": 9}
    events = [event(wait, 1) | {"timestamp": at}, event(other, 2) | {"timestamp": at}]
    stack.clients["logs"] = Logs({"/extract": events})
    writes(stack, manifest("complete", unit("profile", "complete")))
    text = run(stack).text
    assert "Spotify asks for a wait (429). The run waits 7 s." in text
    assert "9 s" not in text


def test_run_that_writes_nothing_is_given_up(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 500.0, 1021.0])
    monkeypatch.setattr("cli.extract.time.monotonic", lambda: next(moments, 1021.0))
    with pytest.raises(CommandError, match=r"^The run has written nothing for 17 minutes: look at `spotify-etl logs "):
        run(stack)


def test_stopped_command_leaves_the_run_alone(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.extract.time.sleep", stop)
    with pytest.raises(StillRunningError, match=r"^Stopped waiting\. The run continues without this command"):
        run(stack)


def test_stream_that_the_stack_does_not_read_is_named(stack: OperatedStack) -> None:
    with pytest.raises(CommandError, match=r"^The stack does not read top_tracks: add it to the setting `streams` and"):
        run(stack, "top_tracks")
    assert stack.functions.invoked == []
