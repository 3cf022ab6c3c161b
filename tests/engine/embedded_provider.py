"""A fake of Pulumi's AWS provider that creates and updates resources in an embedded AWS.

It creates them as a deployment of the embedded AWS does, and updates them by the requests that HashiCorp's provider,
which Pulumi's is made of, was seen to send when the component's settings changed.
"""

# ruff: noqa: ARG002, N802 the names and arguments of the calls are the protocol's

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pulumi
from google.protobuf import empty_pb2
from pulumi.runtime.mocks import MockResourceArgs
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from embedded_aws.pulumi_mocks.arguments import Arguments
from embedded_aws.pulumi_mocks.mocks import AwsMocks
from embedded_aws.pulumi_mocks.resource import AwsAccount
from tests.engine.aws_provider import STORE_VARIABLE, AwsProvider, Cloud, Properties, read, written

_SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key that marks assets and archives in properties."""


class EmbeddedProvider(AwsProvider):
    """Creates, updates and deletes in the account that the environment determines."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self._mocks = AwsMocks("spotify-etl", "dev")
        self._account = AwsAccount("spotify-etl/dev")

    def Create(self, request: Any, context: Any) -> Any:
        inputs = read(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=request.properties)
        identity, state = self._created(request.type, request.name, inputs)
        self.cloud.put(f"{request.type} {identity}", state)
        return provider_pb2.CreateResponse(id=identity, properties=written(state))

    def Update(self, request: Any, context: Any) -> Any:
        olds, news = read(request.olds), read(request.news)
        state = olds | news
        if not request.preview:
            if request.type in _UPDATES:
                _UPDATES[request.type](self._account, request.id, Arguments(_live(news)))
            elif request.type in _PUT_AGAIN:
                state |= self._created(request.type, request.name, news)[1]
            else:
                context.abort(grpc.StatusCode.UNIMPLEMENTED, f"The test does not know how {request.type} is updated.")
            self.cloud.put(f"{request.type} {request.id}", state)
        return provider_pb2.UpdateResponse(properties=written(state))

    def Delete(self, request: Any, context: Any) -> Any:
        _DELETIONS[request.type](self._account, request.id)
        self.cloud.remove(f"{request.type} {request.id}")
        return empty_pb2.Empty()

    def _created(self, token: str, name: str, inputs: Properties) -> tuple[str, Properties]:
        identity, state = self._mocks.new_resource(
            MockResourceArgs(typ=token, name=name, inputs=_live(inputs), provider="", resource_id="", custom=True)
        )
        # Archives stay as the engine sent them.
        return str(identity), {**state, **inputs}


def _live(value: Any) -> Any:
    """Return properties with archives as objects, and without what the engine adds."""
    if isinstance(value, dict):
        if _SIGNATURE in value:
            return pulumi.FileArchive(value["path"])
        return {key: _live(item) for key, item in value.items() if key != "__defaults"}
    return [_live(item) for item in value] if isinstance(value, list) else value


def _function(account: AwsAccount, name: str, given: Arguments) -> None:
    client = account.client("lambda")
    archive = Path(given.take("code").path)
    client.update_function_code(FunctionName=name, ZipFile=archive.read_bytes(), **given.request("architectures"))
    ephemeral = given.api("ephemeralStorage")
    client.update_function_configuration(
        FunctionName=name,
        **given.request("description", "handler", "layers", "loggingConfig", "memorySize", "role", "timeout"),
        **({"EphemeralStorage": ephemeral} if ephemeral else {}),
        Environment={"Variables": (given.take("environment") or {}).get("variables", {})},
    )


def _schedule(account: AwsAccount, identity: str, given: Arguments) -> None:
    group, _, name = identity.partition("/")
    account.client("scheduler").update_schedule(
        GroupName=group,
        Name=name,
        **given.request(
            *(
                "description",
                "flexibleTimeWindow",
                "scheduleExpression",
                "scheduleExpressionTimezone",
                "state",
                "target",
            )
        ),
    )


def _log_group(account: AwsAccount, name: str, given: Arguments) -> None:
    account.client("logs").put_retention_policy(logGroupName=name, retentionInDays=given.take("retentionInDays"))


def _workgroup(account: AwsAccount, name: str, given: Arguments) -> None:
    # Names with capitals of their own in AWS's API.
    text = json.dumps(given.api("configuration"))
    for ours, aws in (("EnforceWorkgroup", "EnforceWorkGroup"), ("PublishCloudwatch", "PublishCloudWatch")):
        text = text.replace(f'"{ours}', f'"{aws}')
    updates = json.loads(text)
    updates["ResultConfigurationUpdates"] = updates.pop("ResultConfiguration")
    account.client("athena").update_work_group(WorkGroup=name, ConfigurationUpdates=updates)


def _crawler(account: AwsAccount, name: str, given: Arguments) -> None:
    targets = {"S3Targets": given.api("s3Targets")}
    settings = ("configuration", "databaseName", "description", "role", "schedule", "schemaChangePolicy", "tablePrefix")
    account.client("glue").update_crawler(Name=name, Targets=targets, **given.request(*settings))


def _budget(account: AwsAccount, _identity: str, given: Arguments) -> None:
    limit = {"Amount": given.take("limitAmount"), "Unit": given.take("limitUnit")}
    budget = {"BudgetName": given.take("name"), "BudgetLimit": limit, **given.request("budgetType", "timeUnit")}
    account.client("budgets").update_budget(AccountId=account.account_id, NewBudget=budget)


def _delete_layer(account: AwsAccount, arn: str) -> None:
    *_, name, version = arn.split(":")
    account.client("lambda").delete_layer_version(LayerName=name, VersionNumber=int(version))


def _delete_schedule(account: AwsAccount, identity: str) -> None:
    group, _, name = identity.partition("/")
    account.client("scheduler").delete_schedule(GroupName=group, Name=name)


def _delete_role_policy(account: AwsAccount, identity: str) -> None:
    role, _, policy = identity.partition(":")
    account.client("iam").delete_role_policy(RoleName=role, PolicyName=policy)


_PUT_AGAIN = frozenset(
    {
        "aws:cloudwatch/dashboard:Dashboard",
        "aws:cloudwatch/metricAlarm:MetricAlarm",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
    }
)
"""Types that AWS has one request for, which creates and replaces them."""

_UPDATES: dict[str, Callable[[AwsAccount, str, Arguments], None]] = {
    "aws:athena/workgroup:Workgroup": _workgroup,
    "aws:budgets/budget:Budget": _budget,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:glue/crawler:Crawler": _crawler,
    "aws:lambda/function:Function": _function,
    "aws:scheduler/schedule:Schedule": _schedule,
}
_DELETIONS: dict[str, Callable[[AwsAccount, str], None]] = {
    "aws:cloudwatch/metricAlarm:MetricAlarm": lambda account, name: account.client("cloudwatch").delete_alarms(
        AlarmNames=[name]
    ),
    "aws:iam/role:Role": lambda account, name: account.client("iam").delete_role(RoleName=name),
    "aws:iam/rolePolicy:RolePolicy": _delete_role_policy,
    # It is no resource of AWS.
    "aws:lambda/invocation:Invocation": lambda _account, _identity: None,
    "aws:lambda/layerVersion:LayerVersion": _delete_layer,
    "aws:scheduler/schedule:Schedule": _delete_schedule,
}


def main() -> None:
    """Serve until Pulumi ends the process; the first line of output is the port."""
    server = grpc.server(ThreadPoolExecutor(4))
    provider = EmbeddedProvider(Cloud(Path(os.environ[STORE_VARIABLE])))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
