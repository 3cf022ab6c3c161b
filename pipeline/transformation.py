"""From the raw bucket to the transformed bucket: the queue of new objects and the transform function."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from handlers.layout import RAW_PREFIX, RAW_SUFFIX, RUNS_PREFIX, RUNS_SUFFIX
from pipeline import policies
from pipeline.function import Function
from pipeline.lake import Lake
from pipeline.queues import Queue
from pipeline.settings import Settings

MAX_RECEIVE_COUNT = 5
"""How often an object is tried; `handlers/transform/retries.py` says how long after one another."""
TIMEOUT_SECONDS = 300
_VISIBILITY_FACTOR = 6
"""AWS recommends six times the function's timeout: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""


class Transformation(pulumi.ComponentResource):
    """The queue that S3 fills, its dead-letter queue, and the function that consumes it."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        lake: Lake,
        log_group: aws.cloudwatch.LogGroup,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Transformation", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.dead_letters = Queue(f"{name}-transform-dead-letters", opts=child)
        self.queue = Queue(
            f"{name}-transform",
            bucket=lake.raw.arn,
            visibility_timeout_seconds=_VISIBILITY_FACTOR * TIMEOUT_SECONDS,
            dead_letters=self.dead_letters,
            max_receive_count=MAX_RECEIVE_COUNT,
            opts=child,
        )
        # A bucket has a single notification configuration; a second resource would overwrite this one.
        aws.s3.BucketNotification(
            f"{name}-raw",
            bucket=lake.raw.name,
            queues=[
                {
                    "id": kind,
                    "queue_arn": self.queue.arn,
                    "events": ["s3:ObjectCreated:*"],
                    "filter_prefix": prefix,
                    "filter_suffix": suffix,
                }
                for kind, prefix, suffix in (
                    ("raw-objects", RAW_PREFIX, RAW_SUFFIX),
                    ("run-manifests", RUNS_PREFIX, RUNS_SUFFIX),
                )
            ],
            # S3 sends a test event to the queue at once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.queue.policy]),
        )
        self.function = Function(
            f"{name}-transform",
            settings,
            handler="transform",
            policy=policies.render(
                policies.transform,
                raw_bucket=lake.raw.arn,
                transformed_bucket=lake.transformed.arn,
                queue=self.queue.arn,
                log_group=log_group.arn,
                kms_key=settings.kms_key_arn,
            ),
            log_group=log_group,
            memory_mb=1024,
            timeout_seconds=TIMEOUT_SECONDS,
            environment={
                "RAW_BUCKET": lake.raw.name,
                "TRANSFORMED_BUCKET": lake.transformed.name,
                "QUEUE_URL": self.queue.url,
            },
            opts=child,
        )
        aws.lambda_.EventSourceMapping(
            f"{name}-transform",
            event_source_arn=self.queue.arn,
            function_name=self.function.arn,
            batch_size=10,
            maximum_batching_window_in_seconds=5,
            function_response_types=["ReportBatchItemFailures"],
            # A new account can run ten functions at a time; a large first load must leave some for others.
            scaling_config={"maximum_concurrency": 5},
            opts=child,
        )
        self.register_outputs({})
