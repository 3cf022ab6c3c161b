"""The event loop in real time: prompt, idle when there is nothing to do, never ended by a failure."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from embedded_aws import EmbeddedAws, PortInUseError, Step
from embedded_aws.clock import real_now
from embedded_aws.services.glue import crawler
from embedded_aws.services.scheduler.schedules import Schedules
from tests.embedded_aws.stage import ACCOUNT, REGION, START, Stage

ECHO = "def handler(event, context):\n    return event"
SLEEP = """
import time

def handler(event, context):
    begin, before = time.monotonic(), context.get_remaining_time_in_millis()
    time.sleep(event["seconds"])
    return {"slept": time.monotonic() - begin, "used": before - context.get_remaining_time_in_millis()}
"""


LONG = 60
"""Seconds that only something that never happens takes, however busy the machine is."""


class Served:
    """A loop that runs in a thread."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.steps: list[Step] = []
        self._news = threading.Condition()

    def on_step(self, step: Step) -> None:
        with self._news:
            self.steps.append(step)
            self._news.notify_all()

    def wait_for(self, wanted: Callable[[Step], bool]) -> Step:
        with self._news:
            assert self._news.wait_for(lambda: any(map(wanted, self.steps)), LONG), self.steps
            return next(filter(wanted, self.steps))


@contextmanager
def serving(aws: EmbeddedAws) -> Iterator[Served]:
    served = Served()
    thread = threading.Thread(target=aws.serve, args=(served.stop, served.on_step))
    thread.start()
    try:
        yield served
    finally:
        served.stop.set()
        thread.join(LONG)
        assert not thread.is_alive()


def _raise(name: str) -> None:
    raise KeyError(name)


def schedule(aws: Stage, name: str, expression: str, target: str) -> None:
    role = aws.role(f"{name}-role", "scheduler.amazonaws.com", {"Action": "*", "Resource": "*"})
    aws.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": target, "RoleArn": role, "RetryPolicy": {"MaximumRetryAttempts": 0}},
    )


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Provide when the loop looked for something to do."""
    looked: list[float] = []
    next_due = Schedules.next_due

    def look(schedules: Schedules) -> datetime | None:
        looked.append(time.monotonic())
        return next_due(schedules)

    monkeypatch.setattr(Schedules, "next_due", look)
    return looked


def becomes_quiet(looks: list[float]) -> bool:
    """Return whether the loop stops looking for a moment, waiting for one in which it does."""
    for _ in range(100):
        before = len(looks)
        time.sleep(0.05)
        if len(looks) == before:
            return True
    return False


def make_crawler(aws: Stage) -> None:
    """Create the crawler `soon` of an empty bucket."""
    aws.client("s3").create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": aws.server.region})
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "weather"})
    role = aws.role("crawl-role", "glue.amazonaws.com", {"Action": "*", "Resource": "*"})
    glue.create_crawler(Name="soon", Role=role, DatabaseName="weather", Targets={"S3Targets": [{"Path": "s3://lake/"}]})


def test_new_work_wakes_the_loop_which_does_nothing_while_there_is_none(
    stage: Stage, looks: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.function("echo", ECHO)
    # Only what changes wakes it, not its own looking whether to end.
    monkeypatch.setattr("embedded_aws.runtime.simulation._LOOK_SECONDS", 10 * LONG)
    with serving(stage) as served:
        assert becomes_quiet(looks)
        stage.client("lambda").invoke(FunctionName="echo", InvocationType="Event", Payload="{}")
        served.wait_for(lambda step: step.kind == "invoke")
        assert becomes_quiet(looks)
        served.stop.set()
        stage.queue("news")


def test_what_is_due_happens_when_the_clock_gets_there(stage: Stage) -> None:
    url, arn = stage.queue("calls")
    soon = START + timedelta(minutes=1)
    schedule(stage, "once", f"at({soon:%Y-%m-%dT%H:%M:%S})", arn)
    stage.run_until(soon - timedelta(seconds=0.3))
    with serving(stage) as served:
        fired = served.wait_for(lambda step: step.kind == "schedule")
    assert soon <= fired.at
    assert len(stage.messages(url)) == 1


def test_nobody_waits_two_minutes_for_a_crawl(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    assert timedelta(seconds=5) >= crawler._DURATION_IN_REAL_TIME
    monkeypatch.setattr(crawler, "_DURATION_IN_REAL_TIME", timedelta(seconds=0.2))
    make_crawler(stage)
    with serving(stage) as served:
        stage.client("glue").start_crawler(Name="soon")
        assert served.wait_for(lambda step: step.kind == "crawl").ok


def test_a_crawl_that_somebody_watched_has_ended_in_the_next_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(crawler, "_DURATION_IN_REAL_TIME", timedelta(seconds=0.2))
    data, work = tmp_path / "data", tmp_path / "work"
    with Stage(work, data=data) as aws:
        make_crawler(aws)
        glue = aws.client("glue")
        with serving(aws):
            glue.start_crawler(Name="soon")
            while glue.get_crawler(Name="soon")["Crawler"]["State"] != "READY":
                time.sleep(0.001)
    with Stage(work, data=data) as aws:
        [crawl] = aws.client("glue").list_crawls(CrawlerName="soon")["Crawls"]
        assert crawl["State"] == "COMPLETED"


def test_time_advances_from_another_thread_and_then_goes_on(stage: Stage) -> None:
    _, arn = stage.queue("calls")
    schedule(stage, "hourly", "cron(0 * * * ? *)", arn)
    with serving(stage) as served:
        begin = stage.now
        stage.advance(timedelta(hours=5))
        assert timedelta(hours=5) <= stage.now - begin < timedelta(hours=6)
        fired = [step.at.replace(microsecond=0) for step in served.steps if step.kind == "schedule"]
        assert [moment - START for moment in fired] == [timedelta(hours=hour) for hour in range(1, 6)]
        real, later = real_now(), stage.now
        time.sleep(0.02)
        assert timedelta() < stage.now - later <= real_now() - real
    stage.advance(timedelta(hours=1))
    assert len(stage.steps("schedule")) == 6


def test_no_failing_step_ends_the_loop(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    _, arn = stage.queue("calls")
    stage.function("echo", ECHO)
    schedule(stage, "broken", "rate(1 minute)", arn)
    monkeypatch.setattr(Schedules, "_fire", lambda *_: _raise("missing"))
    with serving(stage) as served:
        stage.advance(timedelta(minutes=1))
        failed = served.wait_for(lambda step: step.kind == "failure")
        assert (failed.name, failed.detail, failed.ok) == ("broken", "KeyError: 'missing'", False)
        monkeypatch.undo()
        monkeypatch.setattr(Schedules, "next_due", lambda _: _raise("due"))
        stage.client("lambda").invoke(FunctionName="echo", InvocationType="Event", Payload="{}")
        served.wait_for(lambda step: step.kind == "invoke")
        assert served.wait_for(lambda step: step.detail == "KeyError: 'due'").name == "schedules"
        monkeypatch.undo()
        stage.advance(timedelta(minutes=2))
        served.wait_for(lambda step: step.kind == "schedule")


def test_an_error_of_the_callback_is_the_callers(stage: Stage) -> None:
    _, arn = stage.queue("calls")
    schedule(stage, "minutely", "rate(1 minute)", arn)

    def broken(_step: Step) -> None:
        raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError, match="nobody reads"):
        stage.run_until(stage.now + timedelta(minutes=5), broken)
    stage.run_for(minutes=5)
    assert len(stage.steps("schedule")) == 6


def test_an_invalid_payload_is_refused_at_the_door(stage: Stage) -> None:
    stage.function("echo", ECHO)
    for kind in ("Event", "RequestResponse"):
        for payload in (b"{not json", b"\xff"):
            with pytest.raises(ClientError, match="Could not parse request body into json") as refused:
                stage.client("lambda").invoke(FunctionName="echo", InvocationType=kind, Payload=payload)
            assert refused.value.response["Error"]["Code"] == "InvalidRequestContentException"
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    stage.drain()
    assert stage.log == []


def test_a_function_sleeps_in_real_time_while_it_is_served(stage: Stage) -> None:
    stage.function("sleep", SLEEP, Timeout=900)
    with serving(stage):
        begin = time.monotonic()
        answer = stage.invoke("sleep", {"seconds": 0.2})["Payload"]
        took = time.monotonic() - begin
    assert 0.2 <= answer["slept"] <= took
    assert 200 <= answer["used"] <= 1000 * took
    begin = time.monotonic()
    assert stage.invoke("sleep", {"seconds": 600})["Payload"]["slept"] >= 600
    assert time.monotonic() - begin < LONG, "simulated again"


def test_the_end_interrupts_a_function_and_its_event_is_handled_in_the_next_life(tmp_path: Path) -> None:
    data, work = tmp_path / "data", tmp_path / "work"
    with Stage(work, data=data) as aws:
        aws.function("sleep", SLEEP, Timeout=900)
        with serving(aws):
            aws.client("lambda").invoke(FunctionName="sleep", InvocationType="Event", Payload='{"seconds": 600}')
            while not aws.pending().functions:
                time.sleep(0.01)
        assert aws.steps("invoke") == []
    with Stage(work, data=data) as aws:
        aws.drain()
        assert [(step.name, step.ok) for step in aws.steps("invoke")] == [("sleep", True)]


def test_the_port_is_the_one_asked_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"Port {port} of 127.0.0.1 cannot be used .*choose another port"):
            EmbeddedAws(tmp_path, start=START, port=port).start()
    with EmbeddedAws(tmp_path, start=START, port=port) as aws:
        assert aws.server.url == f"http://127.0.0.1:{port}"
        url = aws.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        assert url.endswith(f"/{ACCOUNT}/q")
        assert aws.client("sts").meta.region_name == REGION
