"""A Lambda function with its own role, dependency layer and handling of failed events."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from pipeline import packaging, policies
from pipeline.queues import Queue
from pipeline.settings import Settings
from pipeline.stack_slug import stack_slug

_ASYNC_RETRIES = 2
_ASYNC_MAX_AGE_SECONDS = 6 * 3600


def metrics_namespace() -> str:
    """Return the CloudWatch namespace of the functions' own metrics."""
    return f"SpotifyEtl/{stack_slug(pulumi.get_stack())}"


class Function(pulumi.ComponentResource):
    """A Lambda function that runs one of the packages in `handlers`.

    Args:
        name: name of the resource.
        settings: the stack's settings.
        handler: the package under `handlers` (`extract`, `transform`, `publish`, `compact`).
        policy: the function's permissions.
        log_group: its log group.
        memory_mb: memory, which also determines its share of CPU.
        timeout_seconds: how long an invocation may take.
        environment: environment variables, in addition to those that every function gets.
        layer: the layer of a function that has the same packages; None for one of its own, from the lock file that
            `handler` names.
        ephemeral_storage_mb: size of its temporary folder; None for the 512 MB that cost nothing.
        dead_letters: queue for events that still fail after Lambda's own retries; None for a function that only a
            queue invokes.
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
        layer: aws.lambda_.LayerVersion | None = None,
        ephemeral_storage_mb: int | None = None,
        dead_letters: Queue | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("spotify-etl:index:Function", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        trust = policies.render(policies.trust, service="lambda.amazonaws.com", neighbour=log_group.arn)
        role = aws.iam.Role(name, assume_role_policy=trust, opts=child)
        permissions = aws.iam.RolePolicy(name, role=role.name, policy=policy, opts=child)
        self.layer = layer or _create_layer(name, handler, settings.architecture, child)
        code = packaging.build_code()
        self.function = aws.lambda_.Function(
            name,
            runtime=packaging.RUNTIME,
            architectures=[settings.architecture],
            handler=f"handlers.{handler}.handler.handler",
            code=pulumi.FileArchive(str(code.path)),
            source_code_hash=code.sha256,
            layers=[self.layer.arn],
            role=role.arn,
            memory_size=memory_mb,
            timeout=timeout_seconds,
            ephemeral_storage={"size": ephemeral_storage_mb} if ephemeral_storage_mb else None,
            environment={
                "variables": {
                    "POWERTOOLS_SERVICE_NAME": handler,
                    "POWERTOOLS_METRICS_NAMESPACE": metrics_namespace(),
                    "POWERTOOLS_LOG_LEVEL": "INFO",
                    **environment,
                }
            },
            logging_config={"log_format": "JSON", "log_group": log_group.name},
            # Lambda checks the role's permissions when a mapping or a destination is created.
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


def _create_layer(name: str, handler: str, architecture: str, opts: pulumi.ResourceOptions) -> aws.lambda_.LayerVersion:
    archive = packaging.build_layer(handler, architecture, log=pulumi.log.info)
    return aws.lambda_.LayerVersion(
        name,
        # Layer names are unique in an account; two stacks must not share one.
        layer_name=f"{name}-{stack_slug(pulumi.get_stack())}",
        code=pulumi.FileArchive(str(archive.path)),
        source_code_hash=archive.sha256,
        compatible_architectures=[architecture],
        compatible_runtimes=[packaging.RUNTIME],
        opts=opts,
    )
