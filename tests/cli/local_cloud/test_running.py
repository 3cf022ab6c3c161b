"""Status, advance, down and logs, of a cloud that only pretends to run."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.errors import CommandError
from cli.local_cloud.advance import advance
from cli.local_cloud.down import end
from cli.local_cloud.logs import show_logs
from cli.local_cloud.reset import delete_data
from cli.local_cloud.status import show_status
from cli.local_cloud.step_lines import from_json, step_line, summary, to_json
from local.control import Command, ControlError, Request, Tell
from local.output_log import earlier_log
from local.running_cloud import RunningCloud
from local.steps import Step
from tests.cli.local_cloud.conftest import NOW, STATE

Pretend = Callable[[Mapping[str, Command]], RunningCloud]

GOOD = Step(
    at=datetime(2026, 11, 23, 8, 0, tzinfo=UTC), kind="schedule", name="daily", detail="sent", ok=True, seconds=0
)
BAD = dataclasses.replace(GOOD, kind="invoke", name="extract\x1b[31m", detail="Error: no\nconnection", ok=False)


def test_status_shows_where_it_is(pretend: Pretend, console: Console, output: io.StringIO) -> None:
    running = pretend({})
    data = Path(running.data)
    data.mkdir(exist_ok=True)
    (data / "account").write_bytes(bytes(2_345_678))
    show_status(console, as_json=False)
    began = datetime.fromisoformat(running.since).astimezone()
    assert output.getvalue().splitlines() == [
        "The local cloud is running.",
        "  endpoint  http://127.0.0.1:4599, region eu-central-1",
        f"  data      {running.data}, 2.3 MB",
        "  stack     database spotify_local",
        "  Spotify   simulated",
        "  time      Mon 23 Nov 2026 09:00 in Europe/Berlin",
        f"  since     {began:%a %d %b %Y %H:%M}, process {running.pid}",
        "  queues    objects 3 waiting, 1 in flight",
        "  running   transform",
        "  next      hourly at Mon 09:20; daily at Tue 06:00",
    ]


def test_status_as_json_has_no_key(pretend: Pretend, console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    running = pretend({})
    show_status(console, as_json=True)
    printed = capsys.readouterr().out
    assert json.loads(printed) == {
        "running": True,
        "endpoint": running.url,
        "region": "eu-central-1",
        "data": running.data,
        "data_bytes": 0,
        "spotify": "simulated",
        "database": "spotify_local",
        "since": running.since,
        **{name: STATE[name] for name in ("now", "queues", "functions", "coming")},
        "pid": running.pid,
    }
    assert running.secret_access_key not in printed


def test_status_of_nothing(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="No local cloud is running"):
        show_status(console, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"running": False}


def test_a_file_that_a_killed_cloud_left_is_ignored(pretend: Pretend, console: Console) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dataclasses.replace(pretend({}), pid=ended.pid).publish()
    with pytest.raises(CommandError, match="No local cloud is running"):
        show_status(console, as_json=False)


def test_a_process_that_is_no_cloud_is_not_trusted(pretend: Pretend, console: Console) -> None:
    dataclasses.replace(pretend({}), control="127.0.0.1:1").publish()
    with pytest.raises(CommandError, match=r"did not answer \(.*\): see `spotify-etl local status`, or end it with"):
        show_status(console, as_json=False)


def test_advance_prints_steps_and_a_summary(pretend: Pretend, console: Console, output: io.StringIO) -> None:
    asked: list[Any] = []

    def command(request: Request, tell: Tell) -> Mapping[str, Any]:
        asked.append(request["span"])
        for step in (GOOD, GOOD, BAD):
            tell({"step": to_json(step)})
        tell({"now": NOW})
        return {"now": "2026-11-26T08:00:00+00:00"}

    pretend({"advance": command})
    advance(timedelta(days=3), console)
    assert asked == [3 * 86400]
    assert output.getvalue().splitlines() == [
        "Mon 23 Nov 09:00:00  schedule    daily  sent",
        "Mon 23 Nov 09:00:00  schedule    daily  sent",
        "Mon 23 Nov 09:00:00  function    extract␛[31m  Error: no connection  failed",
        "It is Thu 26 Nov 2026 09:00 in the local cloud: 2 schedule firings, 1 invocation, 1 of the steps failed.",
    ]


def test_what_the_cloud_refuses_is_a_sentence(pretend: Pretend, console: Console) -> None:
    def command(_request: Request, _tell: Tell) -> Mapping[str, Any]:
        raise ControlError("Simulated time is already passing: wait until it has, and ask again.")

    pretend({"advance": command})
    with pytest.raises(CommandError, match=r"^Simulated time is already passing: wait until it has, and ask again\.$"):
        advance(timedelta(days=3), console)


def test_another_version_that_does_not_know_a_command(pretend: Pretend, console: Console) -> None:
    pretend({})
    with pytest.raises(CommandError, match="another version started it: see"):
        advance(timedelta(days=3), console)


def test_a_step_survives_json() -> None:
    assert from_json(json.loads(json.dumps(to_json(BAD)))) == BAD


def test_nothing_was_due() -> None:
    assert summary([]) == "nothing was due"
    assert summary([dataclasses.replace(GOOD, kind="queue")]) == "1 other step"


def test_a_step_without_detail_has_no_blanks_at_its_end() -> None:
    line = "".join(part if isinstance(part, str) else part[0] for part in step_line(_without_detail(), UTC))
    assert line == "Mon 23 Nov 08:00:00  schedule    daily"


def test_a_step_names_resources_without_the_rest_of_their_arns() -> None:
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:extract-1a2b3c4"
    step = dataclasses.replace(GOOD, detail=f"sent to {arn}")
    line = "".join(part if isinstance(part, str) else part[0] for part in step_line(step, UTC))
    assert line == "Mon 23 Nov 08:00:00  schedule    daily  sent to extract-1a2b3c4"


def _without_detail() -> Step:
    return dataclasses.replace(GOOD, detail="")


def test_down_without_a_cloud(console: Console) -> None:
    with pytest.raises(CommandError, match="No local cloud is running"):
        end(console)


def test_reset_while_it_runs(pretend: Pretend, console: Console) -> None:
    pretend({})
    with pytest.raises(CommandError, match="A local cloud is running: end it with `spotify-etl local down` first"):
        delete_data(console, data=None, yes=True)


def test_logs_of_a_cloud_in_the_foreground(pretend: Pretend, console: Console) -> None:
    running = pretend({})
    with pytest.raises(CommandError, match="only a cloud that was started with --detach writes one"):
        show_logs(console, data=None, follow=False)
    Path(running.data).mkdir()
    Path(running.data, "log.txt").write_text("one\ntwo\n")


def test_logs_follow_into_a_new_log(
    pretend: Pretend, console: Console, output: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = pretend({})
    log = Path(running.data, "log.txt")
    log.parent.mkdir(exist_ok=True)
    log.write_text("two\n")
    earlier_log(log).write_text("one\n")
    steps: list[Callable[[], object]] = [
        lambda: log.write_text("two\nthree\n"),
        lambda: log.replace(earlier_log(log)),
        log.touch,
    ]
    happens = iter(steps)
    writes = iter(["four\n", "four\nfive\n"])

    def pass_time(_seconds: float) -> None:
        if step := next(happens, None):
            step()
        elif text := next(writes, None):
            log.write_text(text)
        else:
            raise KeyboardInterrupt

    monkeypatch.setattr("cli.local_cloud.logs.time.sleep", pass_time)
    with pytest.raises(KeyboardInterrupt):
        show_logs(console, data=None, follow=True)

    assert output.getvalue().split() == ["one", "two", "three", "four", "five"]


def test_logs_are_printed_without_escapes(working: Path, console: Console, output: io.StringIO, tmp_path: Path) -> None:
    (working / "cloud").mkdir(parents=True)
    (working / "cloud" / "log.txt").write_bytes(b"one\ntwo \x1b[31m\xff\nthree")
    show_logs(console, data=None, follow=True)  # Nothing follows, since no cloud is running.
    assert output.getvalue().splitlines() == ["one", "two ␛[31m�", "three"]
    with pytest.raises(CommandError, match="There is no log"):
        show_logs(console, data=tmp_path / "elsewhere", follow=False)
