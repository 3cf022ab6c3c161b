"""What counts as a problem, and what the status says about it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

import cli.status.command
from cli.errors import CommandError
from cli.status.command import show_status
from cli.status.parts import (
    AlarmStatus,
    CompactionStatus,
    CostItem,
    CostStatus,
    CrawlStatus,
    LastRun,
    LockStatus,
    LoginStatus,
    PipelineStatus,
    QueueStatus,
    RejectedStatus,
    ScheduleStatus,
    StreamFreshness,
)
from cli.status.problems import problems
from tests.cli.screen import Screen, target_with

NONE = {"extract": 0, "transform": 0, "crawl": 0, "publish": 0, "compact": 0}


def stream(name: str = "saved_tracks", **changes: Any) -> StreamFreshness:
    fresh = StreamFreshness(
        stream=name,
        schedule="daily",
        last_good_at="2026-11-02T05:00:02.178Z",
        age_hours=1.5,
        last_status="complete",
        last_reason=None,
        overdue=False,
    )
    return dataclasses.replace(fresh, **changes)


def status(**changes: Any) -> PipelineStatus:
    healthy = PipelineStatus(
        target="the stack dev in eu-central-1",
        at="2026-11-02T06:30:00.000Z",
        healthy=True,
        problems=[],
        runs=[
            LastRun(
                trigger="daily",
                run_id="20261102T050000Z-daily",
                status="complete",
                reason=None,
                finished_at="2026-11-02T05:00:02.178Z",
                requests=22,
                records=697,
            )
        ],
        streams=[stream()],
        schedules=[
            ScheduleStatus(starts="daily run", enabled=False, expression="cron(0 6 * * ? *)", timezone="Europe/Berlin")
        ],
        queue=QueueStatus(waiting=0, in_flight=0, consumed=True, dead_letters=NONE),
        login=LoginStatus(state="ok", authorized_at="2026-11-01T05:00:00.000Z", age_days=1, ends_on="2027-05-03"),
        locks=[],
        alarms=[],
        rejected=RejectedStatus(days=7, records={"null_element": 2, "wrong_type": 1}),
        crawl=CrawlStatus(state="succeeded", started_at="2026-11-02T05:45:00.000Z", dpu_hours=0.07),
        compaction=CompactionStatus(at="2026-11-02T06:15:03.000Z", partitions=20, waiting=20),
        cost=CostStatus(
            month="2026-11",
            usd=0.0733,
            items=[CostItem(what="Glue crawler", usage="1 crawl, 0.17 DPU hours", usd=0.0733)],
            assumptions="list prices",
        ),
    )
    made = dataclasses.replace(healthy, **changes)
    sentences = problems(made)
    return dataclasses.replace(made, problems=sentences, healthy=not sentences)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"login": LoginStatus(state="missing")}, "Nobody has logged in to Spotify: run `spotify-etl login`."),
        (
            {"login": LoginStatus(state="expires_soon", ends_on="2027-05-03")},
            "The login ends on 2027-05-03: run `spotify-etl login` before that.",
        ),
        (
            {"login": LoginStatus(state="expired", ends_on="2027-05-03")},
            "The login ended on 2027-05-03: run `spotify-etl login`.",
        ),
        (
            {"login": LoginStatus(state="unreadable")},
            "The secret is not what `spotify-etl login` writes: run `spotify-etl login`.",
        ),
        (
            {"queue": QueueStatus(waiting=3, in_flight=0, consumed=False, dead_letters=NONE)},
            "The transform function does not read its queue: run `pulumi up`.",
        ),
        (
            {"queue": QueueStatus(waiting=0, in_flight=0, consumed=True, dead_letters={**NONE, "transform": 2})},
            (
                "2 dead letters of transform: see `spotify-etl logs --function transform`, then run "
                "`spotify-etl replay --dead-letters`."
            ),
        ),
        (
            {"queue": QueueStatus(waiting=0, in_flight=0, consumed=True, dead_letters={**NONE, "compact": 1})},
            (
                "1 dead letter of compact: queries are right, but slower; run `spotify-etl compact`, then "
                "`spotify-etl replay --dead-letters`."
            ),
        ),
        (
            {"crawl": CrawlStatus(state="failed", error="Access denied.")},
            "The last crawl failed (Access denied): run `spotify-etl crawl`.",
        ),
        (
            {"crawl": CrawlStatus(state="succeeded", deprecated_tables=["plays"])},
            (
                "The crawler has marked plays as deprecated, so new partitions are missing: delete the table in Glue "
                "and run `spotify-etl crawl`, which creates it again."
            ),
        ),
        (
            {
                "streams": [
                    stream("top_tracks", overdue=True, age_hours=50.2, last_reason="short"),
                    stream("top_artists", overdue=True, age_hours=30.9, last_reason="short"),
                    stream(),
                ]
            },
            "top_tracks, top_artists: not read completely for 50 hours (short); run `spotify-etl extract`.",
        ),
        (
            {
                "alarms": [
                    AlarmStatus(name="throttles", description="It is slow. See docs/runbook.md#throttles", since=None)
                ]
            },
            "The alarm throttles is on: It is slow. See docs/runbook.md#throttles.",
        ),
        (
            {"streams": [stream(overdue=True, age_hours=None)]},
            "saved_tracks: not read completely in the last 8 days; run `spotify-etl extract`.",
        ),
    ],
)
def test_problem_is_one_sentence_with_what_to_do(changes: dict[str, Any], expected: str) -> None:
    assert status(**changes).problems == [expected]


def test_streams_are_not_late_as_long_as_nobody_can_read_them() -> None:
    late = [stream(overdue=True, age_hours=None)]
    assert len(status(streams=late, login=LoginStatus(state="missing")).problems) == 1


def test_rejected_records_locks_and_a_login_of_unknown_age_are_no_problem() -> None:
    locked = [LockStatus(group="player", until="2026-11-03T05:00:00.000Z")]
    assert status(locks=locked, login=LoginStatus(state="unknown")).healthy


def show(shown: PipelineStatus, monkeypatch: pytest.MonkeyPatch, *, as_json: bool = False) -> Screen:
    monkeypatch.setattr(cli.status.command, "gather_status", lambda _: shown)
    screen = Screen()
    show_status(target_with({}), as_json=as_json, console=screen.console)
    return screen


def test_status_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line.rstrip() for line in show(status(), monkeypatch).lines]
    assert lines[:2] == ["Using the stack dev in eu-central-1.", "Status at 2026-11-02 06:30 UTC: healthy"]
    assert lines[-10:] == [
        "Login     1 day old, ends on 2027-05-03",
        "Locks     none",
        "Queue     0 waiting, 0 in flight; dead letters: none",
        "Alarms    none is on",
        "Schedules daily run cron(0 6 * * ? *) Europe/Berlin (off)",
        "Rejected  3 records in 7 days (2 null_element, 1 wrong_type); `spotify-etl query rejected_records_by_reason`",
        "Crawl     succeeded at 2026-11-02 05:45 UTC, 0.07 DPU hours",
        "Compact   20 partitions at 2026-11-02 06:15 UTC, 20 with originals that wait for an hour",
        "Cost      about $0.07 in 2026-11 so far: Glue crawler $0.07 (1 crawl, 0.17 DPU hours)",
        "          (list prices)",
    ]


@pytest.mark.parametrize(
    ("compaction", "line"),
    [
        (CompactionStatus(), "none in the last 2 days"),
        (
            CompactionStatus(at="2026-11-02T06:15:03.000Z", partitions=1, left_alone=1, complete=False),
            ("1 partition at 2026-11-02 06:15 UTC, 1 object left alone, not complete; `spotify-etl compact` goes on"),
        ),
    ],
)
def test_last_compaction_is_shown(monkeypatch: pytest.MonkeyPatch, compaction: CompactionStatus, line: str) -> None:
    assert f"Compact   {line}" in show(status(compaction=compaction), monkeypatch).lines


def test_problems_end_the_command_with_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"^The pipeline is not healthy: it has 1 problem\.$"):
        show(status(login=LoginStatus(state="missing")), monkeypatch)


def test_json_goes_to_standard_output_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = status(cost=None)
    show(shown, monkeypatch, as_json=True)
    printed = capsys.readouterr()
    assert json.loads(printed.out) == dataclasses.asdict(shown)
    assert printed.err == "Using the stack dev in eu-central-1.\n"
