from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from botocore.exceptions import ClientError, EndpointConnectionError

from handlers.transform import handler as module
from handlers.transform.events import UnknownMessageError, objects_in
from handlers.transform.retries import WAIT_SECONDS
from pipeline import transformation
from tests.handlers.transform.stage import ON_THE_DAY, RAW, RUN, Stage, raw_line

EVENTS = Path(__file__).parent / "events"
handle: Any = module.handler
"""The handler, which here gets a stand-in for Lambda's context."""
SAVED = raw_line("saved_tracks", {"added_at": "2026-07-01T12:00:00Z", "track": None})


@dataclass
class Context:
    function_name: str = "transform"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:transform"
    aws_request_id: str = "52fdfc07-2182-154f-163f-5f0f9a621d72"

    remaining: list[int] = field(default_factory=lambda: [300_000])
    """Milliseconds, one for each time that it is asked; the last for good."""

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining.pop(0) if len(self.remaining) > 1 else self.remaining[0]


@pytest.fixture(autouse=True)
def cold() -> Iterator[None]:
    """Start with nothing reused, shortly after the run."""
    module._transformer.cache_clear()
    with time_machine.travel(ON_THE_DAY):
        yield
    module._transformer.cache_clear()


@dataclass
class Queue:
    """Stands in for the client of SQS."""

    waits: list[tuple[str, int]] = field(default_factory=list)
    """What visibility timeouts were set, by receipt handle."""
    answer: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 boto3's names
        assert QueueUrl == "https://sqs.example/transform"
        if self.error:
            raise self.error
        self.waits += [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in Entries]
        return self.answer


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> Queue:
    made = Queue()
    monkeypatch.setenv("QUEUE_URL", "https://sqs.example/transform")
    monkeypatch.setattr(module, "_sqs", lambda: made)
    return made


def event(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return loaded


def failures(name: str) -> list[str]:
    answer = handle(event(name), Context())
    return [failure["itemIdentifier"][-1] for failure in answer["batchItemFailures"]]


def counted(capsys: pytest.CaptureFixture[str]) -> dict[str, float]:
    """The metrics that an invocation wrote, by name."""
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return {metric["Name"]: sum(line[metric["Name"]]) for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}


def fields(record: logging.LogRecord, *names: str) -> tuple[Any, ...]:
    """What a log line says beside its message."""
    return tuple(getattr(record, name) for name in names)


def test_a_new_object_becomes_tables(
    stage: Stage, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    stage.put_lines("saved_tracks", [SAVED, b"no json"])
    assert failures("object_created") == []

    stem = f"saved_tracks-{RUN}-00000.parquet"
    assert stage.keys() == [
        f"tables/rejected_records/year=2026/{stem}",
        f"tables/saved_tracks/month=2026-11/{stem}",
    ]
    assert counted(capsys) == {"Lines": 2, "RejectedRecords": 1}
    (line,) = caplog.records
    assert fields(line, "levelname", "outcome", "rows") == (
        "INFO",
        "transformed",
        {"saved_tracks": 1, "rejected_records": 1},
    )


def test_a_new_manifest_becomes_runs(stage: Stage) -> None:
    unit = {"stream": "profile", "unit": "", "status": "complete"}
    stage.put(f"runs/dt=2026-11-23/{RUN}-000.json", json.dumps({"units": [unit]}).encode())
    assert failures("manifest_created") == []
    assert stage.keys() == [f"tables/runs/year=2026/runs-{RUN}-000.parquet"]


def test_an_object_of_an_earlier_day_is_noted_as_such(stage: Stage) -> None:
    stage.put_lines("saved_tracks", [SAVED])
    with time_machine.travel(ON_THE_DAY + timedelta(days=1)):
        assert failures("object_created") == []
    assert [row["_raw_key"] for row in stage.rows("replays")] == [row["_raw_key"] for row in stage.rows("saved_tracks")]


def test_a_batch_fails_only_for_its_poison(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.put_lines("saved_tracks", [SAVED])
    stage.put_lines("profile", [raw_line("profile", {"id": "ana01"})])
    assert failures("batch_with_poison") == ["1", "3"]
    assert len(stage.rows("profile")) == len(stage.rows("saved_tracks")) == 1
    errors = [line for line in caplog.records if line.levelname == "ERROR"]
    assert [line.exc_info and line.exc_info[0] for line in errors] == [UnknownMessageError] * 2


@pytest.mark.parametrize(("receives", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 0), (6, 0)], ids=str)
def test_what_failed_is_tried_again_soon(stage: Stage, queue: Queue, receives: int, seconds: int) -> None:
    stage.put_lines("saved_tracks", [SAVED])
    batch = event("batch_with_poison")
    for record in batch["Records"]:
        record["receiptHandle"] = record["messageId"][-1]
        record["attributes"]["ApproximateReceiveCount"] = str(receives)

    handle(batch, Context())

    assert queue.waits == [("1", seconds), ("3", seconds)]


def test_what_succeeded_is_not_touched(stage: Stage, queue: Queue) -> None:
    stage.put_lines("saved_tracks", [SAVED])
    assert failures("object_created") == []
    assert queue.waits == []


@pytest.mark.parametrize(
    "refusal",
    [
        {"error": ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ChangeMessageVisibilityBatch")},
        {"error": EndpointConnectionError(endpoint_url="https://sqs.example")},
        {"answer": {"Failed": [{"Id": "0", "Code": "ReceiptHandleIsInvalid", "SenderFault": True}]}},
    ],
)
def test_without_a_shorter_wait_the_queues_own_counts(
    queue: Queue, caplog: pytest.LogCaptureFixture, refusal: dict[str, Any]
) -> None:
    vars(queue).update(refusal)
    assert failures("batch_with_poison") == ["1", "3"]
    assert [line.message for line in caplog.records if line.levelname == "WARNING"][-1] == (
        "The retry could not be brought forward; the messages will be retried later."
    )


def test_all_tries_end_before_the_crawl() -> None:
    tries = transformation.MAX_RECEIVE_COUNT
    slowest = tries * transformation.TIMEOUT_SECONDS + sum(WAIT_SECONDS[:tries])
    assert slowest < 45 * 60
    assert len(WAIT_SECONDS) == tries


def test_a_refusal_of_s3_fails_the_message_and_no_other(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRANSFORMED_BUCKET", "no-such-bucket")
    stage.put_lines("saved_tracks", [SAVED])
    assert failures("same_twice") == ["0", "1"]


def test_a_message_whose_turn_comes_too_late_comes_again(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.put_lines("saved_tracks", [SAVED])
    stage.put_lines("profile", [raw_line("profile", {"id": "ana01"})])

    answer = handle(event("two_objects"), Context(remaining=[150_000]))

    assert len(answer["batchItemFailures"]) == 1
    assert stage.keys("") == []
    assert [line.levelname for line in caplog.records] == ["WARNING"]


def test_a_function_has_time_for_an_object_that_is_begun() -> None:
    assert module._STORE_MILLISECONDS < module._BEGIN_MILLISECONDS < transformation.TIMEOUT_SECONDS * 1000


def test_an_object_that_takes_all_the_time_is_cut_off_and_its_message_done(stage: Stage) -> None:
    stage.put_lines("saved_tracks", [SAVED])

    answer = handle(event("object_created"), Context(remaining=[300_000, 49_000]))

    assert answer["batchItemFailures"] == []
    (row,) = stage.rows("rejected_records")
    assert (row["_line"], row["reason"]) == (0, "too_slow")
    assert stage.rows("saved_tracks") == []


def test_a_message_may_speak_of_several_objects(stage: Stage) -> None:
    stage.put_lines("saved_tracks", [SAVED])
    stage.put_lines("profile", [raw_line("profile", {"id": "ana01"})])
    assert failures("two_objects") == []
    assert len(stage.rows("profile")) == len(stage.rows("saved_tracks")) == 1


def test_the_same_event_twice_is_the_same_as_once(stage: Stage) -> None:
    stage.put_lines("saved_tracks", [SAVED])
    assert failures("object_created") == []
    once = stage.everything()
    assert failures("same_twice") == []
    assert stage.everything() == once


def test_a_foreign_key_is_decoded_and_noted(stage: Stage) -> None:
    stage.put("raw/Müll & more.jsonl.gz", b"whatever")
    assert failures("foreign_key") == []
    (row,) = stage.rows("rejected_records")
    assert (row["_raw_key"], row["reason"]) == ("raw/Müll & more.jsonl.gz", "foreign")


@pytest.mark.parametrize("name", ["test_event", "object_removed", "other_bucket", "object_created"])
def test_what_is_nothing_to_transform_is_done(stage: Stage, name: str) -> None:
    assert failures(name) == []
    assert stage.keys("") == []


def test_drift_is_logged_once_a_path(
    stage: Stage, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    stage.put_lines("saved_tracks", [raw_line("saved_tracks", {**SAVED["record"], "track": {"name": 5}})] * 3)
    assert failures("object_created") == []
    (line,) = [line for line in caplog.records if line.levelname == "WARNING"]
    assert fields(line, "path", "found", "count", "first_line") == ("record.track.name", "an integer", 3, 1)
    assert counted(capsys)["DriftedPaths"] == 1


@pytest.mark.parametrize("body", ["", "[]", "7", "{}", '{"Records": 1}', '{"Records": [{}]}'])
def test_what_is_no_notification_is_refused(body: str) -> None:
    with pytest.raises(UnknownMessageError, match="not an S3 notification"):
        objects_in(body)


@pytest.mark.parametrize(
    ("encoded", "key"),
    [("raw%2Fa%3D1/b.gz", "raw/a=1/b.gz"), ("a+b%2Bc", "a b+c"), ("%E2%98%BE", "☾")],
)
def test_keys_are_decoded_as_s3_encodes_them(encoded: str, key: str) -> None:
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": RAW}, "object": {"key": encoded}}}
    assert [created.key for created in objects_in(json.dumps({"Records": [record]}))] == [key]
