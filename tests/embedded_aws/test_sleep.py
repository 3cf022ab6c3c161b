"""Functions that sleep take simulated instead of real time."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from local.cloud import EmbeddedCloud
from spotify_simulator import Library
from tests.embedded_aws.stage import START, Stage, zipped
from tests.thoroughness import sampled

HOUR = timedelta(hours=1)


def test_an_hour_passes_for_the_function_the_clock_and_the_time_that_is_left(stage: Stage) -> None:
    stage.function(
        "sleeping",
        """
        import datetime, time
        from time import sleep
        def handler(event, context):
            def look():
                now = datetime.datetime.now(datetime.UTC).timestamp()
                return [now, time.time(), time.monotonic(), context.get_remaining_time_in_millis() / 1000]
            before = look()
            sleep(event)
            return [after - earlier for earlier, after in zip(before, look(), strict=True)]
        """,
        Timeout=7200,
    )
    before, begin = stage.clock.now, time.monotonic()
    utc, seconds, monotonic, left = stage.invoke("sleeping", 3600)["Payload"]
    real = time.monotonic() - begin
    assert 3600 <= utc < 3600 + real
    assert 3600 <= seconds < 3600 + real
    assert 3600 <= monotonic < 3600 + real
    assert -3600 - real < left <= -3600
    assert timedelta(seconds=3600) <= stage.clock.now - before < timedelta(seconds=3600 + real + 1)
    step = stage.steps("invoke")[-1]
    assert step.at - before >= HOUR
    assert step.seconds <= real, "a step tells the real seconds"
    # A warm process starts with all of its time.
    assert stage.invoke("sleeping", 7190)["Payload"][1] >= 7190


@pytest.mark.slow
def test_the_report_counts_what_was_slept(stage: Stage) -> None:
    stage.client("logs").create_log_group(logGroupName="/aws/lambda/reporting")
    stage.function("reporting", "import time\ndef handler(event, context): time.sleep(10)\n")
    stage.invoke("reporting")
    duration = stage.logged("/aws/lambda/reporting")[-1].partition("Duration: ")[2].partition(" ms")[0]
    assert 10_000 <= float(duration) < 20_000


@pytest.mark.parametrize("seconds", sampled(["9.5", "10**6", "float('inf')"], ["10**6"]))
def test_a_sleep_beyond_the_timeout_times_out(stage: Stage, seconds: str) -> None:
    stage.function(
        "overdue",
        f"import time\ndef handler(event, context):\n    time.sleep(0.6)\n    time.sleep({seconds})\n",
        Timeout=10,
    )
    before = stage.clock.now
    answer = stage.invoke("overdue")
    assert answer["Payload"]["errorType"] == "Sandbox.Timedout"
    assert answer["Payload"]["errorMessage"] == "Task timed out after 10.00 seconds"
    assert timedelta(seconds=10) <= stage.clock.now - before < timedelta(seconds=30)


@pytest.mark.slow
def test_a_loop_that_polls_until_a_deadline_ends(stage: Stage) -> None:
    stage.function(
        "polling",
        """
        import time
        def handler(event, context):
            end, polls = time.monotonic() + 120, 0
            while time.monotonic() < end:
                time.sleep(2)
                polls += 1
            return polls
        """,
        Timeout=300,
    )
    assert 50 <= stage.invoke("polling")["Payload"] <= 60


def test_threads_sleep_concurrently_and_freeze_between_invocations(stage: Stage) -> None:
    stage.function(
        "threads",
        """
        import threading, time
        woken = []
        def nap(name, seconds):
            time.sleep(seconds)
            woken.append(name)
        left_behind = threading.Thread(target=lambda: [nap(f"left {n}", 1) for n in range(10 ** 9)], daemon=True)
        def handler(event, context):
            if event == "leave":
                left_behind.start()
                return None
            threads = [threading.Thread(target=nap, args=(n, 60)) for n in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return sorted(one for one in woken if isinstance(one, int))
        """,
        Timeout=900,
    )
    before = stage.clock.now
    assert stage.invoke("threads")["Payload"] == list(range(8))
    assert timedelta(seconds=60) <= stage.clock.now - before < timedelta(seconds=8 * 60 + 10)
    stage.invoke("threads", "leave")
    settled, begin = stage.clock.now, time.monotonic()
    threading.Event().wait(0.1)
    passed = (stage.clock.now - settled).total_seconds()
    assert passed < time.monotonic() - begin + 0.5, "nobody is at work, so nobody sleeps"


@pytest.mark.slow
def test_sleep_accepts_what_pythons_own_accepts(stage: Stage) -> None:
    stage.function(
        "odd",
        """
        import time
        def handler(event, context):
            kinds = []
            for wrong in (-1, float("nan"), "1", None):
                try:
                    time.sleep(wrong)
                except (ValueError, TypeError) as error:
                    kinds.append(type(error).__name__)
            time.sleep(0)
            time.sleep(True)
            return kinds
        """,
    )
    assert stage.invoke("odd")["Payload"] == ["ValueError", "ValueError", "TypeError", "TypeError"]


@pytest.mark.slow
def test_a_module_may_sleep_while_it_is_loaded(stage: Stage) -> None:
    stage.function("slow_start", "import time\ntime.sleep(30)\ndef handler(event, context): return time.time()\n")
    assert stage.invoke("slow_start")["Payload"] >= START.timestamp() + 30


def test_what_falls_due_during_a_sleep_comes_after_it(stage: Stage) -> None:
    arn = stage.function(
        "napping",
        "import time\ndef handler(event, context):\n    time.sleep(200)\n    print('for', event['at'])\n",
        Timeout=300,
    )
    role = stage.role("minutely", "scheduler.amazonaws.com", {"Action": "lambda:InvokeFunction", "Resource": "*"})
    made = stage.clock.now
    for name in ("one", "other"):
        stage.client("scheduler").create_schedule(
            Name=name,
            ScheduleExpression="rate(10 minutes)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": role, "Input": '{"at": "<aws.scheduler.scheduled-time>"}'},
        )
    stage.client("logs").create_log_group(logGroupName="/aws/lambda/napping")
    stage.run_for(minutes=11)
    first, second = stage.steps("invoke")
    assert (first.ok, second.ok) == (True, True)
    assert timedelta(minutes=10, seconds=200) <= first.at - made < timedelta(minutes=10, seconds=220)
    assert timedelta(seconds=200) <= second.at - first.at < timedelta(seconds=220)
    due = {line for line in stage.logged("/aws/lambda/napping") if line.startswith("for ")}
    assert len(due) <= 2, "each is told when it was due, not when it came to run"
    assert all(line < f"for {made + timedelta(minutes=10, seconds=10):%Y-%m-%dT%H:%M:%SZ}" for line in due)


@pytest.mark.slow
def test_spotify_sees_the_later_moment(tmp_path: Path) -> None:
    library = Library.seeded(1, start=START, saved_tracks=1, playlists=0, saved_albums=0, plays_per_day=1)
    code = """
        import os, time, urllib.request
        def ask():
            try:
                urllib.request.urlopen(os.environ["API"] + "me")
            except urllib.error.HTTPError as error:
                return error.code
        def handler(event, context):
            statuses = [ask()]
            time.sleep(1800)
            return [*statuses, ask()]
        """
    with EmbeddedCloud(tmp_path, start=START, library=library) as cloud:
        iam, functions = cloud.client("iam"), cloud.client("lambda")
        trust = (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": '
            '"lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
        )
        role = iam.create_role(RoleName="asking", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        functions.create_function(
            FunctionName="asking",
            Runtime="python3.13",
            Role=role,
            Handler="main.handler",
            Code={"ZipFile": zipped({"main.py": "\n".join(line[8:] for line in code.splitlines())})},
            Timeout=3600,
            Environment={"Variables": {"API": cloud.spotify.api_url}},
        )
        assert functions.invoke(FunctionName="asking")["Payload"].read() == b"[401, 401]"
        first, second = (request.at for request in cloud.spotify.requests)
        assert timedelta(minutes=30) <= second - first < timedelta(minutes=31)
        assert cloud.now >= second
