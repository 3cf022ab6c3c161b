"""The AWS CLI."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from typing import Any

import pytest

from tests.clients.conftest import Clients

pytestmark = pytest.mark.clients


def test_s3_copies_lists_and_removes(clients: Clients) -> None:
    bucket = f"s3://{clients.outputs['athena_results_bucket_name']}"
    large = bytes(range(256)) * (20 << 12)
    (clients.folder / "large").write_bytes(large)
    (clients.folder / "small").write_text("hello\n")
    # The large one in parts.
    for name in ("large", "small"):
        clients.aws("s3", "cp", "--no-progress", name, f"{bucket}/notes/{name}")
    listed = clients.aws("s3", "ls", f"{bucket}/notes/").splitlines()
    assert [line.split()[2:] for line in listed] == [[str(len(large)), "large"], ["6", "small"]]
    clients.aws("s3", "sync", "--no-progress", f"{bucket}/notes", "back")
    assert hashlib.sha256((clients.folder / "back/large").read_bytes()).digest() == hashlib.sha256(large).digest()
    assert "back" not in clients.aws("s3", "sync", "--no-progress", f"{bucket}/notes", "back"), "nothing has changed"
    clients.aws("s3", "rm", "--recursive", f"{bucket}/notes")
    assert "404" in clients.refused("s3", "cp", f"{bucket}/notes/small", "again")


def test_s3_copies_a_table(clients: Clients) -> None:
    source = f"s3://{clients.outputs['transformed_bucket_name']}/tables/plays/"
    clients.aws("s3", "cp", "--recursive", "--no-progress", source, "plays")
    copied = [path.relative_to(clients.folder / "plays") for path in (clients.folder / "plays").rglob("*.parquet")]
    assert {str(path.parent) for path in copied} == {"month=2026-11"}


def test_lambda_invokes(clients: Clients) -> None:
    name = clients.outputs["publish_function_name"]
    payload = json.dumps({"trigger": "schedule"})
    said = clients.aws("lambda", "invoke", "--function-name", name, "--payload", payload, "--log-type", "Tail", "out")
    assert said["StatusCode"] == 200
    assert json.loads((clients.folder / "out").read_text())["tables_created"] == []
    assert "REPORT RequestId: " in base64.b64decode(said["LogResult"]).decode()
    assert "ResourceNotFoundException" in clients.refused("lambda", "invoke", "--function-name", "another", "out")


def test_glue_lists_tables_and_partitions(clients: Clients) -> None:
    database = clients.outputs["glue_database_name"]
    found = clients.aws("glue", "get-tables", "--database-name", database)["TableList"]
    kinds = {table["Name"]: table["TableType"] for table in found}
    assert (kinds["plays"], kinds["current_saved_tracks"]) == ("EXTERNAL_TABLE", "VIRTUAL_VIEW")
    searched = clients.aws("glue", "search-tables", "--search-text", "saved_tracks")["TableList"]
    assert {table["Name"] for table in searched} == {"current_saved_tracks", "saved_tracks"}
    partitions = clients.aws("glue", "get-partitions", "--database-name", database, "--table-name", "plays")
    assert [one["Values"] for one in partitions["Partitions"]] == [["2026-11"]]


def test_athena_runs_a_query(clients: Clients) -> None:
    group, database = clients.outputs["athena_workgroup_name"], clients.outputs["glue_database_name"]
    started = clients.aws(
        *("athena", "start-query-execution", "--work-group", group, "--query-execution-context"),
        *(f"Database={database}", "--query-string", "SELECT item_type, count(*) AS n FROM plays GROUP BY 1"),
    )
    identifier = started["QueryExecutionId"]
    for _ in range(100):
        shown = clients.aws("athena", "get-query-execution", "--query-execution-id", identifier)["QueryExecution"]
        if shown["Status"]["State"] not in {"QUEUED", "RUNNING"}:
            break
        time.sleep(0.2)
    assert shown["Status"]["State"] == "SUCCEEDED"
    results = clients.aws("athena", "get-query-results", "--query-execution-id", identifier)["ResultSet"]
    header, *rows = [[cell["VarCharValue"] for cell in row["Data"]] for row in results["Rows"]]
    assert header == ["item_type", "n"]
    assert rows[0][0] == "track"
    assert int(rows[0][1]) > 0


def test_logs_are_filtered(clients: Clients) -> None:
    group = clients.outputs["log_group_names"]["extract"]

    def messages(*options: str) -> list[str]:
        found = clients.aws("logs", "filter-log-events", "--log-group-name", group, *options)
        return [event["message"] for event in found["events"]]

    everything = messages()
    reports = messages("--filter-pattern", '"REPORT RequestId"')
    assert reports == [line for line in everything if "REPORT RequestId" in line]
    assert reports
    informed = messages("--filter-pattern", '{ $.level = "INFO" && $.service = "extract" }')
    assert informed
    assert all(json.loads(line)["level"] == "INFO" for line in informed)
    assert messages("--filter-pattern", '{ $.level = "ERROR" }') == []
    assert len(messages("--filter-pattern", "?START ?END")) == len(messages("--filter-pattern", "RequestId -REPORT"))


def test_sqs_sends_receives_and_deletes(clients: Clients) -> None:
    def sqs(*arguments: str) -> Any:
        # Version 1 of the CLI takes the queues' address from nowhere else.
        return clients.aws("--endpoint-url", clients.environment["AWS_ENDPOINT_URL"], "sqs", *arguments)

    url = sqs("create-queue", "--queue-name", "of-the-cli")["QueueUrl"]
    attributes = json.dumps({"kind": {"DataType": "String", "StringValue": "test"}})
    sent = sqs("send-message", "--queue-url", url, "--message-body", "hello", "--message-attributes", attributes)
    assert sent["MD5OfMessageBody"] == hashlib.md5(b"hello", usedforsecurity=False).hexdigest()
    received = sqs("receive-message", "--queue-url", url, "--message-attribute-names", "All")["Messages"]
    assert [(one["Body"], one["MessageAttributes"]["kind"]["StringValue"]) for one in received] == [("hello", "test")]
    counts = sqs("get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert (counts["ApproximateNumberOfMessages"], counts["ApproximateNumberOfMessagesNotVisible"]) == ("0", "1")
    sqs("delete-message", "--queue-url", url, "--receipt-handle", received[0]["ReceiptHandle"])
    counts = sqs("get-queue-attributes", "--queue-url", url, "--attribute-names", "All")["Attributes"]
    assert counts["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert "dead-letters" in "".join(sqs("list-queues")["QueueUrls"])
    sqs("delete-queue", "--queue-url", url)


def test_event_patterns_are_tested(clients: Clients) -> None:
    event = {
        "id": "1",
        "account": "123456789012",
        "source": "aws.glue",
        "time": "2026-11-02T06:00:00Z",
        "region": "eu-central-1",
        "resources": [],
        "detail-type": "x",
        "detail": {"state": "Failed"},
    }

    def matches(pattern: object) -> bool:
        options = ("--event-pattern", json.dumps(pattern), "--event", json.dumps(event))
        found: bool = clients.aws("events", "test-event-pattern", *options)["Result"]
        return found

    assert matches({"source": ["aws.glue"], "detail": {"state": ["Failed"]}})
    assert not matches({"source": ["aws.glue"], "detail": {"state": ["Succeeded"]}})


def test_the_caller_is_the_owner_of_the_account(clients: Clients) -> None:
    said = clients.aws("sts", "get-caller-identity")
    assert said["Arn"] == "arn:aws:iam::123456789012:root"
    assert said["Account"] == said["UserId"] == "123456789012"
