"""The data folder: who may open it, what it costs, what happens when it cannot be written."""

from __future__ import annotations

import json
import multiprocessing
import resource
import shutil
import sqlite3
import stat
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws import (
    DataDamagedError,
    DataError,
    DataInUseError,
    DataNotSavedError,
    DataVersionError,
    EmbeddedAws,
)
from embedded_aws.persistence.data_folder import DataFolder
from tests.embedded_aws.stage import ACCOUNT, REGION, START, Stage


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data folder of an account with a bucket and an object."""
    folder = tmp_path / "data"
    with Stage(tmp_path / "work", data=folder) as aws:
        aws.client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
        aws.client("s3").put_object(Bucket="bucket", Key="large", Body=b"x" * 50_000)
    return folder


def start(data: Path, **settings: Any) -> None:
    with EmbeddedAws(data.with_name("work"), start=START, data=data, **settings):
        pass


def change(data: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(data / "account.sqlite")) as database, database:
        database.execute(statement, values)


def test_only_the_user_can_read_it(data: Path) -> None:
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_folder_in_use_is_refused(data: Path) -> None:
    with (
        closing(DataFolder(data)),
        pytest.raises(DataInUseError, match=f"Another process is using the data folder {data}"),
    ):
        start(data)
    start(data)


def _hold(data: Path, opened: Any) -> None:
    folder = DataFolder(data)
    opened.set()
    time.sleep(60)
    folder.close()


@pytest.mark.slow
def test_the_lock_ends_with_the_process_that_is_killed(data: Path) -> None:
    context = multiprocessing.get_context("spawn")
    opened = context.Event()
    holder = context.Process(target=_hold, args=(data, opened), daemon=True)
    holder.start()
    assert opened.wait(30)
    with pytest.raises(DataInUseError):
        start(data)
    holder.kill()
    holder.join()
    start(data)


@pytest.mark.parametrize("name", ["format", "moto", "Python"])
def test_a_folder_of_another_version_is_refused(data: Path, name: str) -> None:
    change(data, "UPDATE meta SET value = '0.1' WHERE name = ?", name)
    with pytest.raises(
        DataVersionError, match=f"was written with another version \\({name} 0.1; this is .*delete the folder"
    ):
        start(data)


def test_a_folder_of_another_region_is_refused(data: Path) -> None:
    with pytest.raises(DataVersionError, match="holds an account in eu-central-1, not in us-east-1"):
        start(data, region="us-east-1")


def test_a_damaged_folder_is_refused(data: Path, tmp_path: Path) -> None:
    def damaged(name: str) -> Path:
        return Path(shutil.copytree(data, tmp_path / name))

    no_database = damaged("no database")
    (no_database / "account.sqlite").write_bytes(b"not a database, but a sentence" * 100)
    wrong_state = damaged("wrong state")
    change(wrong_state, "UPDATE states SET content = x'00' WHERE name LIKE '%S3Backend%'")
    wrong_object = damaged("wrong object")
    change(wrong_object, "UPDATE objects SET content = x'80'")
    no_content = damaged("no content")
    shutil.rmtree(no_content / "contents")
    no_bucket = damaged("no bucket")
    change(no_bucket, "UPDATE objects SET bucket = 'other'")
    for folder in (no_database, wrong_state, wrong_object, no_content, no_bucket):
        with pytest.raises(DataDamagedError, match=f"The data folder {folder} is damaged .*: delete it to start again"):
            start(folder)
    start(data)


def test_a_folder_that_cannot_be_created_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataNotSavedError, match="cannot be written"):
        start(tmp_path / "file" / "data")


def test_a_full_disk_refuses_requests_until_there_is_space(data: Path) -> None:
    with Stage(data.with_name("work"), data=data) as aws:
        s3 = aws.client("s3")
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
        try:
            with pytest.raises(ClientError, match="free space on its disk") as refused:
                s3.put_object(Bucket="bucket", Key="refused", Body=b"y" * 60_000)
            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
            # Nobody sees what may be lost.
            with pytest.raises(ClientError, match="free space on its disk"):
                s3.get_object(Bucket="bucket", Key="large")
            aws.drain()
            assert [step.kind for step in aws.log if not step.ok] == ["failure"]
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert s3.get_object(Bucket="bucket", Key="large")["Body"].read() == b"x" * 50_000
        shown = {one["Key"] for one in s3.list_objects_v2(Bucket="bucket")["Contents"]}
        killed = Path(shutil.copytree(data, data.with_name("killed")))
    with Stage(data.with_name("work"), data=killed) as aws:
        assert {one["Key"] for one in aws.client("s3").list_objects_v2(Bucket="bucket")["Contents"]} == shown


def test_what_cannot_be_kept_is_refused_and_undone(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Stage(data.with_name("work"), data=data) as aws:
        secrets = aws.client("secretsmanager")
        secrets.create_secret(Name="first", SecretString="1")
        create = type(aws.server.backend("secretsmanager")).create_secret

        def create_unkeepable(backend: Any, *values: Any, **options: Any) -> Any:
            backend.unkeepable = (number for number in range(3))
            return create(backend, *values, **options)

        monkeypatch.setattr(type(aws.server.backend("secretsmanager")), "create_secret", create_unkeepable)
        with pytest.raises(
            ClientError, match=r"cannot keep this in its data folder .*secretsmanager.* is as it was before"
        ):
            secrets.create_secret(Name="second", SecretString="2")
        monkeypatch.undo()
        assert [one["Name"] for one in secrets.list_secrets()["SecretList"]] == ["first"]
        secrets.create_secret(Name="third", SecretString="3")
    with Stage(data.with_name("work"), data=data) as aws:
        names = [one["Name"] for one in aws.client("secretsmanager").list_secrets()["SecretList"]]
        assert names == ["first", "third"]


def test_what_is_deleted_leaves_the_disk(data: Path) -> None:
    with Stage(data.with_name("work"), data=data) as aws:
        s3, logs = aws.client("s3"), aws.client("logs")
        s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/large")
        s3.put_object(Bucket="bucket", Key="large", Body=b"z" * 60_000)
        logs.create_log_group(logGroupName="group")
        logs.create_log_stream(logGroupName="group", logStreamName="stream")
        event = {"timestamp": int(aws.now.timestamp() * 1000), "message": "line"}
        logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=[event])
        assert sorted(file.stat().st_size for file in (data / "contents").iterdir()) == [50_000, 60_000]
        for key in ("copy", "large"):
            s3.delete_object(Bucket="bucket", Key=key)
        logs.delete_log_group(logGroupName="group")
    assert list((data / "contents").iterdir()) == []
    with closing(sqlite3.connect(data / "account.sqlite")) as database:
        counts = [database.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("objects", "log_events")]
    assert counts == [(0,), (0,)]


def test_time_goes_on_while_it_is_off(data: Path) -> None:
    with Stage(data.with_name("work"), data=data) as aws:
        before = aws.now
        aws.advance(timedelta(days=3))
    with EmbeddedAws(data.with_name("work"), start=datetime(2020, 1, 1, tzinfo=UTC), data=data) as aws:
        assert before + timedelta(days=3) < aws.now < before + timedelta(days=3, minutes=2)


def test_schedules_missed_while_it_was_off_fire_once(data: Path) -> None:
    work = data.with_name("work")
    with Stage(work, data=data) as aws:
        _, arn = aws.queue("calls", Policy=_open_to_rules())
        role = aws.role("call", "scheduler.amazonaws.com", {"Action": "sqs:SendMessage", "Resource": "*"})
        aws.client("scheduler").create_schedule(
            Name="hourly",
            ScheduleExpression="cron(0 * * * ? *)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn, "RoleArn": role, "Input": "<aws.scheduler.scheduled-time>"},
        )
        aws.client("events").put_rule(Name="often", ScheduleExpression="rate(10 minutes)")
        aws.client("events").put_targets(Rule="often", Targets=[{"Id": "1", "Arn": arn, "Input": '"rule"'}])
        aws.client("glue").create_database(DatabaseInput={"Name": "catalog"})
        aws.client("glue").create_crawler(
            Name="daily",
            Role="nobody",
            DatabaseName="catalog",
            Targets={"S3Targets": [{"Path": "s3://bucket/"}]},
            Schedule="cron(0 9 * * ? *)",
        )
        aws.drain()
        off = aws.clock.now
        # As if it had been off for days: the clock moves, and nothing runs.
        aws.clock.move_by(timedelta(days=5, hours=4, minutes=30).total_seconds())
        aws.server.gate.note_own()
        aws.server.gate.settle()
    with Stage(work, data=data) as aws:
        assert aws.now > off + timedelta(days=5)
        aws.drain()
        url = aws.client("sqs").get_queue_url(QueueName="calls")["QueueUrl"]
        assert sorted(one["Body"] for one in aws.messages(url)) == ['"rule"', "2026-11-28T10:00:00Z"]
        crawls = aws.client("glue").list_crawls(CrawlerName="daily")["Crawls"]
        assert len(crawls) == 1
        aws.run_for(minutes=31)
        assert "2026-11-28T11:00:00Z" in [one["Body"] for one in aws.messages(url)]


def test_a_crawl_and_retries_continue_where_they_were(data: Path) -> None:
    work = data.with_name("work")
    with Stage(work, data=data) as aws:
        aws.queue("failures")
        aws.function("fail", "def handler(event, context):\n    raise ValueError(event['n'])", Timeout=5)
        aws.allow("fail-role", {"Action": ["logs:*", "sqs:*"], "Resource": "*"})
        aws.client("lambda").put_function_event_invoke_config(
            FunctionName="fail",
            DestinationConfig={"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:failures"}},
        )
        aws.client("glue").create_database(DatabaseInput={"Name": "catalog"})
        role = aws.role("crawl", "glue.amazonaws.com", {"Action": ["s3:*", "glue:*"], "Resource": "*"})
        aws.client("glue").create_crawler(
            Name="crawler", Role=role, DatabaseName="catalog", Targets={"S3Targets": [{"Path": "s3://bucket/none/"}]}
        )
        aws.client("glue").start_crawler(Name="crawler")
        aws.client("lambda").invoke(FunctionName="fail", InvocationType="Event", Payload=json.dumps({"n": 7}))
        aws.drain()
        assert [step.detail for step in aws.steps("invoke")] == ["ValueError: 7"]
        killed = Path(shutil.copytree(data, data.with_name("killed")))
    with Stage(work, data=killed) as aws:
        assert aws.client("glue").get_crawler(Name="crawler")["Crawler"]["State"] == "RUNNING"
        aws.run_for(minutes=10)
        assert len(aws.steps("invoke")) == 2, "two retries are left"
        assert aws.client("glue").get_crawler(Name="crawler")["Crawler"]["LastCrawl"]["Status"] == "SUCCEEDED"
        (failure,) = aws.messages(aws.client("sqs").get_queue_url(QueueName="failures")["QueueUrl"])
        assert json.loads(failure["Body"])["requestPayload"] == {"n": 7}


@pytest.mark.slow
def test_requests_of_many_threads_are_all_kept(data: Path) -> None:
    work = data.with_name("work")
    with Stage(work, data=data) as aws:
        s3 = aws.client("s3")

        def put(thread: int) -> None:
            for number in range(20):
                s3.put_object(Bucket="bucket", Key=f"{thread}-{number}", Body=b"x")

        threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        killed = Path(shutil.copytree(data, data.with_name("killed")))
    with Stage(work, data=killed) as aws:
        assert aws.client("s3").list_objects_v2(Bucket="bucket")["KeyCount"] == 161


@pytest.mark.slow
def test_a_put_costs_little_more_with_twenty_thousand_objects(tmp_path: Path) -> None:
    work, many = tmp_path / "work", tmp_path / "many"

    def cost(folder: Path, count: int) -> float:
        """Return the CPU time of 100 puts beside `count` objects: the least of several, without other work's share."""
        with Stage(work, data=folder) as aws:
            s3 = aws.client("s3")
            s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
            with aws.server.gate.working():
                for number in range(count):
                    aws.server.backend("s3").put_object("bucket", f"folder/{number}", b"x" * 500)
            aws.server.gate.settle()
            costs = []
            for _ in range(5):
                begin = time.process_time()
                for number in range(100):
                    s3.put_object(Bucket="bucket", Key=f"new/{number}", Body=b"y" * 1000)
                costs.append(time.process_time() - begin)
            return min(costs)

    assert cost(many, 20_000) < 2 * cost(tmp_path / "few", 100)
    begin = time.process_time()
    with Stage(work, data=many) as aws:
        assert time.process_time() - begin < 6
        assert aws.client("s3").get_object(Bucket="bucket", Key="folder/19999")["Body"].read() == b"x" * 500


def test_every_error_is_a_data_error() -> None:
    assert {DataInUseError, DataVersionError, DataDamagedError, DataNotSavedError} <= set(DataError.__subclasses__())


def _open_to_rules() -> dict[str, Any]:
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    return {"Version": "2012-10-17", "Statement": [allowed]}
