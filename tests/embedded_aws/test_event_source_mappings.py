"""Event source mappings: batches, partial failures, visibility and dead letters, in simulated time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.embedded_aws.stage import START, Stage
from tests.thoroughness import sampled

# Reports as failed each message whose body is listed.
PARTIAL = """
def handler(event, context):
    print([record["body"] for record in event["Records"]])
    return {"batchItemFailures": [
        {"itemIdentifier": record["messageId"]} for record in event["Records"] if record["body"] == "bad"
    ]}
"""


def mapped(stage: Stage, code: str, *, tries: int = 3, **settings: Any) -> tuple[str, str]:
    """A function behind a queue with a dead-letter queue; the URLs of both queues."""
    dead, dead_arn = stage.queue("dead")
    url, arn = stage.queue(
        "work", VisibilityTimeout="60", RedrivePolicy={"deadLetterTargetArn": dead_arn, "maxReceiveCount": tries}
    )
    stage.client("logs").create_log_group(logGroupName="/aws/lambda/worker")
    stage.function("worker", code)
    stage.client("lambda").create_event_source_mapping(FunctionName="worker", EventSourceArn=arn, **settings)
    return url, dead


def send(stage: Stage, url: str, *bodies: str) -> None:
    for body in bodies:
        stage.client("sqs").send_message(QueueUrl=url, MessageBody=body)


def minutes(stage: Stage, *kinds: str) -> list[int]:
    return [round((step.at - START).total_seconds() / 60) for step in stage.steps(*kinds)]


def test_a_message_arrives_in_lambdas_form_and_is_deleted_once_processed(stage: Stage) -> None:
    url, dead = mapped(stage, "import json\ndef handler(event, context): print(json.dumps(event))\n")
    stage.client("sqs").send_message(
        QueueUrl=url, MessageBody="hello", MessageAttributes={"colour": {"DataType": "String", "StringValue": "red"}}
    )
    stage.run_for(seconds=5)
    shown = next(json.loads(line) for line in stage.logged("/aws/lambda/worker") if line.startswith("{"))
    (record,) = shown["Records"]
    assert record["body"] == "hello"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(":work")
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert abs(int(record["attributes"]["SentTimestamp"]) / 1000 - START.timestamp()) < 30
    assert record["messageAttributes"]["colour"]["stringValue"] == "red"
    assert stage.messages(url) == stage.messages(dead) == []
    stage.run_for(hours=1)
    assert len(stage.steps("queue")) == 1


def test_only_the_failed_part_of_a_batch_is_retried_until_dead_lettered(stage: Stage) -> None:
    url, dead = mapped(stage, PARTIAL, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    send(stage, url, "good", "bad", "fine")
    stage.run_for(hours=1)
    batches = [line for line in stage.logged("/aws/lambda/worker") if line.startswith("[")]
    assert batches == ["['good', 'bad', 'fine']", "['bad']", "['bad']"]
    assert minutes(stage, "queue") == [0, 1, 2]
    assert stage.steps("queue")[0].detail == "2 of 3 messages processed by worker"
    (step,) = stage.steps("dead_letter")
    assert (step.name, step.ok, step.detail) == ("dead", False, "1 messages of work after 3 tries")
    assert minutes(stage, "dead_letter") == [3]
    assert [message["Body"] for message in stage.messages(dead)] == ["bad"]
    assert stage.messages(url) == []


@pytest.mark.parametrize(
    "answer",
    sampled(
        [
            "raise ValueError('no')",
            "return {'batchItemFailures': [{'itemIdentifier': ''}]}",
            "return {'batchItemFailures': [{'wrong': 1}]}",
            "return 'text'",
        ],
        ["return {'batchItemFailures': [{'wrong': 1}]}"],
    ),
)
def test_an_error_or_an_invalid_response_fails_the_whole_batch(stage: Stage, answer: str) -> None:
    url, dead = mapped(
        stage, f"def handler(event, context): {answer}\n", tries=1, FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    send(stage, url, "a", "b")
    stage.run_for(minutes=10)
    assert len(stage.messages(dead)) == 2
    assert len(stage.steps("invoke")) == 1


@pytest.mark.slow
def test_without_partial_responses_the_handlers_result_does_not_matter(stage: Stage) -> None:
    url, dead = mapped(stage, "def handler(event, context): return {'batchItemFailures': [{'itemIdentifier': 'x'}]}\n")
    send(stage, url, "a")
    stage.run_for(minutes=10)
    assert stage.messages(url) == stage.messages(dead) == []


@pytest.mark.slow
def test_batches_are_as_large_as_the_mapping_says(stage: Stage) -> None:
    url, _ = mapped(stage, PARTIAL, BatchSize=2)
    send(stage, url, *"abcde")
    stage.run_for(seconds=1)
    batches = [line for line in stage.logged("/aws/lambda/worker") if line.startswith("[")]
    assert batches == ["['a', 'b']", "['c', 'd']", "['e']"]


def test_a_batching_window_collects_in_simulated_time(stage: Stage) -> None:
    url, _ = mapped(stage, PARTIAL, BatchSize=10, MaximumBatchingWindowInSeconds=120)
    send(stage, url, "a")
    stage.run_for(seconds=60)
    assert stage.steps("queue") == []
    send(stage, url, "b")
    stage.run_for(minutes=10)
    assert [line for line in stage.logged("/aws/lambda/worker") if line.startswith("[")] == ["['a', 'b']"]
    assert minutes(stage, "queue") == [2]


def test_a_filter_drops_what_it_does_not_let_through(stage: Stage) -> None:
    url, dead = mapped(
        stage, PARTIAL, FilterCriteria={"Filters": [{"Pattern": json.dumps({"body": {"kind": ["wanted"]}})}]}
    )
    send(stage, url, '{"kind": "wanted"}', '{"kind": "other"}', "text")
    stage.run_for(minutes=10)
    assert [line for line in stage.logged("/aws/lambda/worker") if line.startswith("[")] == [
        """['{"kind": "wanted"}']"""
    ]
    assert stage.messages(url) == stage.messages(dead) == []


def test_a_disabled_mapping_leaves_messages_where_they_are(stage: Stage) -> None:
    url, _ = mapped(stage, PARTIAL, Enabled=False)
    send(stage, url, "a")
    stage.run_for(minutes=10)
    assert len(stage.messages(url)) == 1


def test_the_poller_needs_the_roles_permission_and_works_once_it_has_it(stage: Stage) -> None:
    url, _ = mapped(stage, PARTIAL)
    stage.allow("worker-role", {"Action": ["sqs:ReceiveMessage", "sqs:GetQueueAttributes"], "Resource": "*"})
    send(stage, url, "a")
    stage.run_for(hours=3)
    (step,) = stage.steps("queue")
    assert not step.ok
    assert step.name == "work"
    assert "is not authorized to perform: sqs:DeleteMessage on resource: arn:aws:sqs:" in step.detail
    assert len(stage.messages(url)) == 1
    stage.allow("worker-role", {"Action": ["sqs:*"], "Resource": "*"})
    stage.run_for(hours=2)
    assert stage.messages(url) == []


@pytest.mark.slow
def test_messages_past_their_retention_are_dropped(stage: Stage) -> None:
    url, arn = stage.queue("short", MessageRetentionPeriod="600", VisibilityTimeout="60")
    stage.function("late", PARTIAL)
    send(stage, url, "a")
    stage.run_for(minutes=11)
    stage.client("lambda").create_event_source_mapping(FunctionName="late", EventSourceArn=arn)
    send(stage, url, "b")
    stage.run_for(minutes=1)
    assert [step.detail for step in stage.steps("queue")] == ["1 of 1 messages processed by late"]


def test_an_object_in_a_bucket_reaches_the_function_behind_the_queue(stage: Stage) -> None:
    url, _ = mapped(stage, "def handler(event, context): print('body: ' + event['Records'][0]['body'])\n", BatchSize=1)
    _, arn = (
        url,
        stage.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"],
    )
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::things"}},
            }
        ],
    }
    stage.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    s3 = stage.client("s3")
    s3.create_bucket(Bucket="things", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_notification_configuration(
        Bucket="things",
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    s3.put_object(Bucket="things", Key="raw/dt=1/one two.json", Body=b"1")
    stage.run_for(seconds=1)
    bodies = [
        json.loads(line.removeprefix("body: ")) for line in stage.logged("/aws/lambda/worker") if "body: " in line
    ]
    assert bodies[0]["Event"] == "s3:TestEvent"
    assert bodies[1]["Records"][0]["s3"]["bucket"]["name"] == "things"
    assert bodies[1]["Records"][0]["s3"]["object"]["key"] == "raw/dt%3D1/one+two.json"


def test_a_fifo_queue_drops_duplicates(stage: Stage) -> None:
    sqs = stage.client("sqs")
    url = sqs.create_queue(QueueName="work.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    for identifier in ("first", "first", "second"):
        sqs.send_message(QueueUrl=url, MessageBody="a", MessageGroupId="g", MessageDeduplicationId=identifier)
    name = "ApproximateNumberOfMessages"
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name] == "2"
