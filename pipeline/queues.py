"""The queue that feeds the transform, and the dead-letter queues."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from pipeline import policies

_RETENTION_SECONDS = 14 * 24 * 3600
"""The longest that SQS keeps a message."""


class Queue(pulumi.ComponentResource):
    """A queue with its policy: encrypted with SQS's own key, TLS only.

    Args:
        name: name of the resource.
        bucket: ARN of the bucket whose events S3 may send to the queue.
        rule: ARN of the rule whose undelivered events EventBridge may send to the queue.
        visibility_timeout_seconds: how long a received message stays hidden from other consumers.
        dead_letters: dead-letter queue for messages that were received `max_receive_count` times; it accepts no other
            queue's.
        max_receive_count: how often a message is received before it goes to `dead_letters`.
    """

    def __init__(
        self,
        name: str,
        *,
        bucket: pulumi.Input[str] | None = None,
        rule: pulumi.Input[str] | None = None,
        visibility_timeout_seconds: int = 30,
        dead_letters: Queue | None = None,
        max_receive_count: int = 5,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Queue", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        redrive = (
            dead_letters.arn.apply(
                lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count})
            )
            if dead_letters
            else None
        )
        self.queue = aws.sqs.Queue(
            name,
            message_retention_seconds=_RETENTION_SECONDS,
            visibility_timeout_seconds=visibility_timeout_seconds,
            sqs_managed_sse_enabled=True,
            redrive_policy=redrive,
            opts=child,
        )
        self.arn: pulumi.Output[str] = self.queue.arn
        self.url: pulumi.Output[str] = self.queue.url
        self.name: pulumi.Output[str] = self.queue.name
        if bucket is not None:
            document = policies.render(policies.queue_for_bucket, queue=self.arn, sender=bucket)
        elif rule is not None:
            document = policies.render(policies.queue_for_rule, queue=self.arn, sender=rule)
        else:
            document = policies.render(policies.queue, queue=self.arn)
        self.policy = aws.sqs.QueuePolicy(name, queue_url=self.url, policy=document, opts=child)
        if dead_letters:
            aws.sqs.RedriveAllowPolicy(
                name,
                queue_url=dead_letters.url,
                redrive_allow_policy=pulumi.Output.json_dumps(
                    {"redrivePermission": "byQueue", "sourceQueueArns": [self.arn]}
                ),
                opts=child,
            )
        self.register_outputs({"arn": self.arn, "url": self.url})
