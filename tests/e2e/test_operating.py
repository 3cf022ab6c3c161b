"""The operator's commands against a deployed pipeline, in one process with the embedded cloud."""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from cli.demo import log_in
from cli.doctor.command import examine
from cli.errors import CommandError
from cli.extract import extract
from cli.logs import LogRequest, show_logs
from cli.purge import purge
from cli.replay import ReplayRequest, replay, replay_dead_letters
from cli.status.command import show_status
from cli.status.gathering import gather_status
from cli.targets import Target
from spotify_simulator import FAULTS, LibraryPlan
from tests.e2e.world import World, world

pytestmark = pytest.mark.slow

PLAN = LibraryPlan(saved_tracks=60, playlists=3)


@pytest.fixture(scope="module", name="empty")
def fixture_empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provide a deployed pipeline that nobody has logged in to."""
    with world(tmp_path_factory.mktemp("cloud"), PLAN, logged_in=False) as made:
        yield made


@pytest.fixture(scope="module", name="pipeline")
def fixture_pipeline(empty: World) -> World:
    """Provide the same pipeline after a first run by hand; the tests below use it in their order."""
    return empty


def target(one: World) -> Target:
    return Target("the local cloud", one.outputs, one.cloud.client)


@contextmanager
def passing_time(one: World) -> Iterator[None]:
    """Let simulated time pass meanwhile, twenty seconds at a time."""
    stopped = threading.Event()

    def live() -> None:
        while not stopped.is_set():
            one.cloud.run_until(one.cloud.now + timedelta(seconds=20))
            time.sleep(0.1)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


class Screen:
    """What a command prints."""

    def __init__(self) -> None:
        self.console = Console(file=io.StringIO(), width=200)

    @property
    def text(self) -> str:
        assert isinstance(self.console.file, io.StringIO)
        return self.console.file.getvalue()


def run_extract(one: World, screen: Screen, streams: str = "", *, full: bool = False) -> None:
    with passing_time(one):
        extract(target(one), streams=streams, full=full, follow=True, console=screen.console, poll_seconds=0.1)


def test_before_the_login_every_command_says_so(empty: World) -> None:
    screen = Screen()
    with pytest.raises(CommandError, match=r"^Nobody has logged in to Spotify yet: run `spotify-etl login`, then this"):
        run_extract(empty, screen)

    status = gather_status(target(empty))
    assert status.problems == ["Nobody has logged in to Spotify: run `spotify-etl login`."]
    assert status.rejected.records == {}
    assert status.crawl.state == "never"
    assert [(run.trigger, run.status, run.reason) for run in status.runs] == [("manual", "skipped", "not_logged_in")]

    screen = Screen()
    with pytest.raises(CommandError, match=r"checks? failed: the lines above say what to do\.$"):
        examine(lambda: target(empty), console=screen.console)
    assert f"{empty.outputs['spotify_secret_name']} is empty: run `spotify-etl login`." in screen.text
    assert "tables and views in spotify_local" in screen.text


def test_extract_is_followed_to_the_tables(pipeline: World) -> None:
    log_in(pipeline.cloud, pipeline.outputs["spotify_secret_name"])
    screen = Screen()
    run_extract(pipeline, screen)

    (manifest,) = [one for one in pipeline.manifests() if one["status"] == "complete"]
    assert f"Started the run {manifest['run_id']}, which reads profile, " in screen.text
    requests, records = (sum(unit[name] for unit in manifest["units"]) for name in ("requests", "records"))
    assert f"{requests} requests to Spotify, {records} new records" in screen.text
    assert pipeline.query("SELECT count(*) FROM saved_tracks").rows == (("59",),)
    assert re.search(r"│ saved_tracks +│ +59 │", screen.text)
    assert "Query them with `spotify-etl query`" in screen.text


def test_extract_of_some_streams_reads_only_these(pipeline: World) -> None:
    before = len(pipeline.cloud.spotify.requests)
    run_extract(pipeline, screen := Screen(), "profile,saved_albums", full=True)
    assert {request.path.rpartition("/v1/")[2] for request in pipeline.cloud.spotify.requests[before:]} <= {
        "me",
        "me/albums",
        "/api/token",
    }
    assert "which reads profile, saved_albums." in screen.text


def test_unknown_and_disabled_streams_are_named(pipeline: World) -> None:
    for streams, message in (
        ("savd_tracks", r"did you mean saved_tracks\?$"),
        ("saved_shows", r"^The stack does not read saved_shows: add it to the setting `streams`"),
        (",", r"^--streams is empty: it needs one or more of profile, "),
    ):
        with pytest.raises(CommandError, match=message):
            run_extract(pipeline, Screen(), streams)


def test_extract_reports_a_lock_and_status_shows_it(pipeline: World) -> None:
    faults = pipeline.cloud.spotify.faults
    faults.append(FAULTS["rate_limit_long"]("/me/player/recently-played"))
    with pytest.raises(
        CommandError, match=r"^Spotify accepts no requests until 2026-11-03 \d\d:\d\d UTC: the next run"
    ):
        run_extract(pipeline, Screen(), "recently_played")
    faults.clear()
    (lock,) = gather_status(target(pipeline)).locks
    assert lock.group == "player"


def test_alarm_that_is_on_is_a_problem(pipeline: World) -> None:
    cloudwatch = pipeline.cloud.client("cloudwatch")
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    chosen = next(alarm for alarm in alarms if alarm["AlarmDescription"].endswith("#throttles"))
    for state in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName=chosen["AlarmName"], StateValue=state, StateReason="a test")
        on = [alarm.name for alarm in gather_status(target(pipeline)).alarms]
        assert on == (["throttles"] if state == "ALARM" else [])


def test_status_is_healthy_and_its_json_complete(pipeline: World, capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    show_status(target(pipeline), as_json=True, console=screen.console)
    printed = json.loads(capsys.readouterr().out)
    assert printed["healthy"] is True
    assert printed["problems"] == []
    assert printed["login"]["state"] == "ok"
    assert printed["crawl"]["state"] == "succeeded"
    assert sum(printed["rejected"]["records"].values()) == 5
    assert {one["stream"]: one["overdue"] for one in printed["streams"]}["saved_tracks"] is False
    assert [one["starts"] for one in printed["schedules"]] == [
        "compact", "crawl", "daily run", "deletion", "hourly run", "publish",
    ]  # fmt: skip

    show_status(target(pipeline), as_json=False, console=screen.console)
    assert "healthy" in screen.text
    assert "dead letters: none" in screen.text


def test_logs_merge_the_functions_in_the_order_of_time(pipeline: World) -> None:
    screen = Screen()
    show_logs(target(pipeline), LogRequest(since="1d"), follow=False, console=screen.console)
    lines = screen.text.splitlines()[1:]
    # Whether the schedule of compact has come depends on how fast time passed.
    assert {line.split()[2] for line in lines} - {"compact"} == {"extract", "transform", "publish"}
    assert [line[:19] for line in lines] == sorted(line[:19] for line in lines)

    run_id = next(one for one in pipeline.manifests() if one["status"] == "complete")["run_id"]
    screen = Screen()
    show_logs(target(pipeline), LogRequest(run_id=run_id), follow=False, console=screen.console)
    lines = screen.text.splitlines()[1:]
    assert lines
    assert all(run_id in line for line in lines)
    assert any("Stream read." in line and "stream=saved_tracks" in line for line in lines)


def test_replay_changes_no_row(pipeline: World) -> None:
    before = {key: body for key, body, _ in pipeline.objects("transformed_bucket_name", "tables/")}
    screen = Screen()
    with passing_time(pipeline):
        replay(target(pipeline), ReplayRequest(), console=screen.console)
    assert {key: body for key, body, _ in pipeline.objects("transformed_bucket_name", "tables/")} == before
    assert "objects transformed again" in screen.text


def test_dead_letters_are_replayed(pipeline: World) -> None:
    sqs = pipeline.cloud.client("sqs")
    raw_key = next(iter(pipeline.objects("raw_bucket_name", "raw/profile/")))[0]
    table_key = next(key for key, _, _ in pipeline.objects("transformed_bucket_name", "tables/profile/"))
    pipeline.cloud.client("s3").delete_object(Bucket=pipeline.outputs["transformed_bucket_name"], Key=table_key)
    body = {
        "Records": [
            {
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": {"name": pipeline.outputs["raw_bucket_name"]}, "object": {"key": raw_key}},
            }
        ]
    }
    letters = pipeline.outputs["dead_letter_queue_urls"]
    sqs.send_message(QueueUrl=letters["transform"], MessageBody=json.dumps(body))
    sqs.send_message(QueueUrl=letters["extract"], MessageBody="{}")
    assert [problem[:24] for problem in gather_status(target(pipeline)).problems] == [
        "1 dead letter of extract",
        "1 dead letter of transfo",
    ]

    screen = Screen()
    with passing_time(pipeline):
        replay_dead_letters(target(pipeline), yes=True, console=screen.console)
    assert "1 message moved" in screen.text
    assert "1 dead letter of extract deleted." in screen.text
    assert table_key in {key for key, _, _ in pipeline.objects("transformed_bucket_name", "tables/profile/")}
    assert gather_status(target(pipeline)).healthy


def test_doctor_finds_nothing_wrong_but_the_missing_command(
    pipeline: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    screen = Screen()
    with pytest.raises(CommandError, match=r"^1 check failed"):
        examine(lambda: target(pipeline), console=screen.console)
    failed = [line for line in screen.text.splitlines() if line.startswith("fail")]
    assert [line.split()[1] for line in failed] == ["Pulumi"]
    assert "Spotify accepts it; it ends on 2027-05-04" in screen.text


def test_purge_deletes_every_version_and_the_next_run_reads_again(pipeline: World) -> None:
    screen = Screen()
    purge(target(pipeline), before="", yes=True, console=screen.console)
    s3 = pipeline.cloud.client("s3")
    left = [
        version["Key"]
        for name in ("raw_bucket_name", "transformed_bucket_name", "athena_results_bucket_name")
        for kind in ("Versions", "DeleteMarkers")
        for version in s3.list_object_versions(Bucket=pipeline.outputs[name]).get(kind, [])
    ]
    assert set(left) == {"state/locks.json"}
    assert "Left: 1 object (Spotify’s quota locks)." in screen.text
    assert pipeline.query("SELECT count(*) FROM current_saved_tracks").rows == (("0",),)

    run_extract(pipeline, Screen(), "saved_tracks,profile")
    assert pipeline.query("SELECT count(*) FROM current_saved_tracks").rows == (("59",),)
