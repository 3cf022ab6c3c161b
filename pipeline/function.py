"""A Lambda function with what belongs to it alone: its role, its layer and what becomes of failed events."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from pipeline import packaging, policies
from pipeline.queues import Queue
from pipeline.settings import Settings

_ASYNC_RETRIES = 2
_ASYNC_MAX_AGE_SECONDS = 6 * 3600


class Function(pulumi.ComponentResource):
    """One function of `handlers`.

    Args:
        name: name of the resource.
        handler: the package under `handlers` (`extract`, `transform`, `publish`), which also names its lock file.
        policy: what the function may do.
        log_group: where it logs.
        memory_mb: memory, and with it its share of a processor.
        timeout_seconds: how long an invocation may take.
        environment: what the handler is told, beside what every handler is told.
        dead_letters: where an event goes that still fails after Lambda's own retries; None for a function that only
            a queue invokes.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        *,
        handler: str,
        policy: pulumi.Output[str],
        log_group: aws.cloudwatch.LogGroup,
        memory_mb: int,
        timeout_seconds: int,
        environment: Mapping[str, pulumi.Input[str]],
        dead_letters: Queue | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Function", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(name, assume_role_policy=json.dumps(policies.trust("lambda.amazonaws.com")), opts=child)
        permissions = aws.iam.RolePolicy(name, role=role.name, policy=policy, opts=child)
        layer_archive = packaging.build_layer(handler, settings.architecture, log=pulumi.log.info)
        layer = aws.lambda_.LayerVersion(
            name,
            # A layer is known by its name alone; two stacks of one account must not share it.
            layer_name=f"{name}-{pulumi.get_stack()}",
            code=pulumi.FileArchive(str(layer_archive.path)),
            source_code_hash=layer_archive.sha256,
            compatible_architectures=[settings.architecture],
            compatible_runtimes=[packaging.RUNTIME],
            opts=child,
        )
        code = packaging.build_code()
        self.function = aws.lambda_.Function(
            name,
            runtime=packaging.RUNTIME,
            architectures=[settings.architecture],
            handler=f"handlers.{handler}.handler.handler",
            code=pulumi.FileArchive(str(code.path)),
            source_code_hash=code.sha256,
            layers=[layer.arn],
            role=role.arn,
            memory_size=memory_mb,
            timeout=timeout_seconds,
            environment={
                "variables": {
                    "POWERTOOLS_SERVICE_NAME": handler,
                    "POWERTOOLS_METRICS_NAMESPACE": f"SpotifyEtl/{pulumi.get_stack()}",
                    "POWERTOOLS_LOG_LEVEL": "INFO",
                    **environment,
                }
            },
            logging_config={"log_format": "JSON", "log_group": log_group.name},
            # Lambda checks at once what the role may do for a mapping or a destination.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[permissions]),
        )
        self.arn: pulumi.Output[str] = self.function.arn
        self.name: pulumi.Output[str] = self.function.name
        self.role_name: pulumi.Output[str] = role.name
        if dead_letters:
            aws.lambda_.FunctionEventInvokeConfig(
                name,
                function_name=self.name,
                maximum_retry_attempts=_ASYNC_RETRIES,
                maximum_event_age_in_seconds=_ASYNC_MAX_AGE_SECONDS,
                destination_config={"on_failure": {"destination": dead_letters.arn}},
                opts=child,
            )
        self.register_outputs({"arn": self.arn, "name": self.name})
