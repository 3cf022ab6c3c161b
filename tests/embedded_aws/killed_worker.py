"""A process that works with a kept account until it is killed, and says what was answered.

Arguments: data folder, journal, number of this life, "work" or "check". It first checks that everything answered in
earlier lives is there.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from embedded_aws.services.lambda_.runtimes import OWN_RUNTIME
from tests.embedded_aws.stage import ACCOUNT, REGION, Stage, zipped

RESULTS = f"arn:aws:sqs:{REGION}:{ACCOUNT}:results"
ECHO = "def handler(event, context):\n    return event\n"


class Journal:
    """What was asked for and what was answered, one JSON line each."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
        self.answered: list[list[Any]] = []
        self.open: list[list[Any]] = []
        """Asked for, but the process was killed before the answer arrived."""
        for kind, *entry in lines:
            if kind == "asked":
                self.open.append(entry)
            else:
                self.open.remove(entry)
                self.answered.append(entry)
        self._file = path.open("a", encoding="utf-8")

    def entry(self, *entry: Any) -> None:
        """Note that something is asked for."""
        self._write("asked", *entry)

    def done(self, *entry: Any) -> None:
        """Note that it was answered."""
        self._write("answered", *entry)

    def _write(self, *line: Any) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()


def prepare(aws: Stage) -> None:
    """Create what the work needs, as far as it is missing."""
    with suppress(aws.client("s3").exceptions.BucketAlreadyOwnedByYou):
        aws.client("s3").create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    for name in ("inbox", "jobs", "results"):
        aws.client("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60"})
    with suppress(aws.client("glue").exceptions.AlreadyExistsException):
        aws.client("glue").create_database(DatabaseInput={"Name": "catalog"})
    with suppress(aws.client("logs").exceptions.ResourceAlreadyExistsException):
        aws.client("logs").create_log_group(logGroupName="group")
    with suppress(aws.client("logs").exceptions.ResourceAlreadyExistsException):
        aws.client("logs").create_log_stream(logGroupName="group", logStreamName="stream")
    with suppress(aws.client("secretsmanager").exceptions.ResourceExistsException):
        aws.client("secretsmanager").create_secret(Name="secret", SecretString="-1")
    with suppress(aws.client("iam").exceptions.EntityAlreadyExistsException):
        aws.role("echo", "lambda.amazonaws.com")
    aws.allow("echo", {"Action": ["logs:*", "sqs:*"], "Resource": "*"})
    functions = aws.client("lambda")
    with suppress(functions.exceptions.ResourceConflictException):
        functions.create_function(
            FunctionName="echo",
            Runtime=OWN_RUNTIME,
            Role=f"arn:aws:iam::{ACCOUNT}:role/echo",
            Handler="main.handler",
            Code={"ZipFile": zipped({"main.py": ECHO})},
        )
    functions.put_function_event_invoke_config(
        FunctionName="echo", DestinationConfig={"OnSuccess": {"Destination": RESULTS}}
    )


def body(number: int) -> bytes:
    """Return the content of an object; every fifth is large."""
    return hashlib.sha256(str(number).encode()).digest() * (2000 if number % 5 == 0 else 1)


def actions(aws: Stage) -> dict[str, Callable[[int], Any]]:
    """Return everything that is done, by its name in the journal."""
    s3, sqs = aws.client("s3"), aws.client("sqs")
    inbox = sqs.get_queue_url(QueueName="inbox")["QueueUrl"]

    def take(_number: int) -> None:
        for message in sqs.receive_message(QueueUrl=inbox).get("Messages", []):
            aws.journal.entry("taken", message["Body"])  # type: ignore[attr-defined] # set by main
            sqs.delete_message(QueueUrl=inbox, ReceiptHandle=message["ReceiptHandle"])
            aws.journal.done("taken", message["Body"])  # type: ignore[attr-defined] # set by main

    return {
        "put": lambda n: s3.put_object(Bucket="bucket", Key=f"k{n}", Body=body(n), Metadata={"n": str(n)}),
        "replace": lambda n: s3.put_object(Bucket="bucket", Key="replaced", Body=str(n).encode(), Tagging=f"n={n}"),
        "send": lambda n: sqs.send_message(QueueUrl=inbox, MessageBody=f"m{n}"),
        "take": take,
        "secret": lambda n: aws.client("secretsmanager").put_secret_value(SecretId="secret", SecretString=str(n)),
        "table": lambda n: aws.client("glue").create_table(DatabaseName="catalog", TableInput={"Name": f"t{n}"}),
        "invoke": lambda n: aws.client("lambda").invoke(
            FunctionName="echo", InvocationType="Event", Payload=json.dumps({"n": n})
        ),
        "log": lambda n: aws.client("logs").put_log_events(
            logGroupName="group",
            logStreamName="stream",
            logEvents=[{"timestamp": int(aws.now.timestamp() * 1000), "message": f"l{n}"}],
        ),
    }


def check(aws: Stage, journal: Journal) -> None:
    """Check that everything that was answered is there, and nothing else but what was asked for."""
    answered = {name: [entry for kind, entry in journal.answered if kind == name] for name in KINDS}
    possible = {name: [entry for kind, entry in journal.open if kind == name] for name in KINDS}
    s3 = aws.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", Prefix="k")
    keys = {int(entry["Key"][1:]) for page in pages for entry in page.get("Contents", [])}
    within(keys, answered["put"], possible["put"])
    for number in answered["put"][-5:]:
        stored = s3.get_object(Bucket="bucket", Key=f"k{number}")
        assert (stored["Body"].read(), stored["Metadata"]) == (body(number), {"n": str(number)})
    if answered["replace"]:
        newest = {answered["replace"][-1], *possible["replace"]}
        found = int(s3.get_object(Bucket="bucket", Key="replaced")["Body"].read())
        assert found in newest, (found, newest)
        tags = s3.get_object_tagging(Bucket="bucket", Key="replaced")["TagSet"]
        assert tags == [{"Key": "n", "Value": str(found)}]
    if answered["secret"]:
        value = aws.client("secretsmanager").get_secret_value(SecretId="secret")["SecretString"]
        assert int(value) in {answered["secret"][-1], *possible["secret"]}
    tables = aws.client("glue").get_paginator("get_tables").paginate(DatabaseName="catalog")
    within({int(one["Name"][1:]) for page in tables for one in page["TableList"]}, answered["table"], possible["table"])
    logged = aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName="group")
    lines = [int(event["message"][1:]) for page in logged for event in page["events"]]
    assert len(lines) == len(set(lines))
    within(set(lines), answered["log"], possible["log"])
    taken = {int(entry[1:]) for entry in (*answered["taken"], *possible["taken"])}
    messages = {int(message.body[1:]) for message in aws.server.backend("sqs").queues["inbox"]._messages}
    assert set(answered["send"]) <= messages | taken, set(answered["send"]) - messages - taken
    assert not {int(entry[1:]) for entry in answered["taken"]} & messages


def check_results(aws: Stage, journal: Journal) -> None:
    """Let everything happen that is pending, and check that each accepted event was handled."""
    aws.run_until(aws.now + timedelta(minutes=10))
    results = [json.loads(one.body) for one in aws.server.backend("sqs").queues["results"]._messages]
    handled = {result["requestPayload"]["n"] for result in results}
    accepted = {entry for kind, entry in journal.answered if kind == "invoke"}
    assert accepted <= handled, accepted - handled


def within(found: set[int], answered: list[int], possible: list[int]) -> None:
    """Check that what is found is what was answered, and perhaps what was only asked for."""
    assert set(answered) <= found, f"lost: {set(answered) - found}"
    assert found <= {*answered, *possible}, f"made up: {found - {*answered, *possible}}"


KINDS = ("put", "replace", "send", "take", "taken", "secret", "table", "invoke", "log")


def main() -> None:
    """Check, then work until the end of the process, or check the results."""
    data, path, life, mode = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    journal, choose = Journal(path), random.Random(life)  # noqa: S311 - the work of a test
    with Stage(data.with_name("work"), data=data) as aws:
        aws.journal = journal  # type: ignore[attr-defined] # for the actions
        prepare(aws)
        check(aws, journal)
        if mode == "check":
            check_results(aws, journal)
            print("nothing lost", len(journal.answered), len(journal.open), flush=True)
            return
        threading.Thread(target=aws.serve, args=(threading.Event(),), daemon=True).start()
        print("working", flush=True)
        every = actions(aws)
        for step in range(1_000_000):
            number, name = life * 1_000_000 + step, choose.choice(list(every))
            journal.entry(name, number)
            every[name](number)
            journal.done(name, number)


if __name__ == "__main__":
    main()
