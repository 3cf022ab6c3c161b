"""Every argument of a resource arrives in the embedded AWS, or is refused by name."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi.runtime import MockResourceArgs

from embedded_aws.pulumi_mocks.mocks import NOT_APPLIED, RESOURCES, AwsMocks, UnsupportedResourceError
from embedded_aws.server.server import AwsServer
from embedded_aws.services.lambda_.runtimes import OWN_RUNTIME

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
Make = Callable[..., dict[str, Any]]


@pytest.fixture
def make(server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Create one resource as the mocks do and return its outputs, its id among them."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", server.region)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.owner.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.owner.secret_access_key)
    mocks = AwsMocks("sample", "test")

    def create(token: str, logical_name: str, /, **inputs: Any) -> dict[str, Any]:
        identity, outputs = mocks.new_resource(MockResourceArgs(token, logical_name, inputs, custom=True))
        return {**outputs, "id": identity}

    return create


def role(make: Make) -> str:
    return str(make("aws:iam/role:Role", "role", assumeRolePolicy=TRUST)["arn"])


def function(make: Make, folder: Path, **more: Any) -> dict[str, Any]:
    (folder / "main.py").write_text("")
    return make(
        "aws:lambda/function:Function",
        "function",
        runtime=OWN_RUNTIME,
        handler="main.handler",
        role=role(make),
        code=pulumi.FileArchive(str(folder)),
        **more,
    )


def test_names_are_made_as_pulumi_makes_them(make: Make) -> None:
    first = make("aws:sqs/queue:Queue", "events")["name"]
    stem, _, digits = first.rpartition("-")
    assert (stem, len(digits)) == ("events", 7)
    int(digits, 16)
    assert make("aws:sqs/queue:Queue", "other", name="given")["name"] == "given"
    with pytest.raises(
        UnsupportedResourceError, match=r"Role x+ cannot be created: its name x+ plus eight characters is longer"
    ):
        make("aws:iam/role:Role", "x" * 60, assumeRolePolicy=TRUST)


# The provider's own modules use what it calls deprecated.
@pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of:DeprecationWarning")
@pytest.mark.slow
def test_every_type_is_one_of_the_provider() -> None:
    for token in RESOURCES:
        _, module, name = token.split(":")
        service = module.split("/")[0]
        resource = getattr(import_module(f"pulumi_aws.{'lambda_' if service == 'lambda' else service}"), name)
        for argument in NOT_APPLIED.get(token, {}):
            snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in argument)
            assert snake in inspect.signature(resource._internal_init).parameters, f"{token} has no {argument}"


@pytest.mark.parametrize(
    ("token", "inputs", "message"),
    [
        ("aws:ec2/vpc:Vpc", {}, "aws:ec2/vpc:Vpc thing: the type is not supported by the embedded AWS."),
        (
            "aws:s3/bucket:Bucket",
            {"accelerationStatus": "Enabled", "policy": "{}"},
            "Bucket thing: the embedded AWS does not support accelerationStatus, policy, so the resource would differ",
        ),
        (
            "aws:athena/workgroup:Workgroup",
            {"configuration": {"resultConfiguration": {"outputLocation": "s3://b/", "newThing": 1}}},
            "Workgroup thing: the embedded AWS does not support configuration.resultConfiguration.newThing, so the",
        ),
        (
            "aws:sqs/queue:Queue",
            {"region": "us-east-1"},
            "aws:sqs/queue:Queue thing: it is not in the region of the embedded AWS, eu-central-1.",
        ),
        (
            "aws:scheduler/schedule:Schedule",
            {"scheduleExpression": "rate(1 day)", "flexibleTimeWindow": {"mode": "OFF"}, "target": {"oddity": 1}},
            'Unknown parameter in Target: "Oddity"',
        ),
        (
            "aws:s3/bucketVersioning:BucketVersioning",
            {"bucket": "no-such-bucket", "versioningConfiguration": {"status": "Enabled"}},
            "cannot be created: An error occurred (NoSuchBucket) when calling the PutBucketVersioning operation",
        ),
    ],
    ids=["type", "argument", "argument of a block", "region", "parameter of the API", "refused by AWS"],
)  # fmt: skip
def test_what_would_differ_is_an_error(make: Make, token: str, inputs: dict[str, Any], message: str) -> None:
    with pytest.raises(UnsupportedResourceError) as error:
        make(token, "thing", **inputs)
    assert message in str(error.value)


def test_a_bucket_with_all_that_belongs_to_it(make: Make, server: AwsServer) -> None:
    bucket = make("aws:s3/bucket:Bucket", "raw", forceDestroy=True)["bucket"]
    make(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        "raw",
        bucket=bucket,
        blockPublicAcls=True,
        restrictPublicBuckets=True,
    )
    make(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "raw",
        bucket=bucket,
        rules=[
            {
                "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:key"},
                "bucketKeyEnabled": True,
            }
        ],
    )
    make(
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        "raw",
        bucket=bucket,
        rules=[
            {
                "id": "old",
                "status": "Enabled",
                "filter": {"and": {"prefix": "raw/", "tags": {"keep": "no"}}},
                "expiration": {"days": 90.0},
                "noncurrentVersionExpiration": {"noncurrentDays": 30.0},
            }
        ],
    )
    s3 = server.client("s3")
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": False,
        "IgnorePublicAcls": False,
        "RestrictPublicBuckets": True,
    }
    (encryption,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption == {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:key"},
        "BucketKeyEnabled": True,
    }
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule == {
        "ID": "old",
        "Status": "Enabled",
        "Filter": {"And": {"Prefix": "raw/", "Tags": [{"Key": "keep", "Value": "no"}]}},
        "Expiration": {"Days": 90},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    }


def test_a_function_with_what_starts_it(make: Make, server: AwsServer, tmp_path: Path) -> None:
    queue = make("aws:sqs/queue:Queue", "events")
    made = function(
        make,
        tmp_path,
        architectures=["arm64"],
        memorySize=512.0,
        environment={"variables": {"camelCase": "kept"}},
        sourceCodeHash="x",
        reservedConcurrentExecutions=3.0,
    )
    name = made["name"]
    make(
        "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
        "retries",
        functionName=name,
        maximumRetryAttempts=1.0,
        destinationConfig={"onFailure": {"destination": queue["arn"]}},
    )
    make(
        "aws:lambda/eventSourceMapping:EventSourceMapping",
        "mapping",
        eventSourceArn=queue["arn"],
        functionName=made["arn"],
        batchSize=10.0,
        functionResponseTypes=["ReportBatchItemFailures"],
        scalingConfig={"maximumConcurrency": 5.0},
        enabled=False,
    )
    make(
        "aws:lambda/permission:Permission",
        "rule",
        function=name,
        action="lambda:InvokeFunction",
        principal="events.amazonaws.com",
        sourceArn="arn:aws:events:eu-central-1:123456789012:rule/r",
    )
    functions = server.client("lambda")
    found = functions.get_function(FunctionName=name)
    assert found["Configuration"]["Environment"]["Variables"] == {"camelCase": "kept"}
    assert found["Configuration"]["Architectures"] == ["arm64"]
    assert found["Configuration"]["MemorySize"] == 512
    assert found["Concurrency"]["ReservedConcurrentExecutions"] == 3
    retries = functions.get_function_event_invoke_config(FunctionName=name)
    assert retries["MaximumRetryAttempts"] == 1
    assert retries["DestinationConfig"]["OnFailure"]["Destination"] == queue["arn"]
    (mapping,) = functions.list_event_source_mappings()["EventSourceMappings"]
    assert (mapping["BatchSize"], mapping["State"]) == (10, "Disabled")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}
    (statement,) = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/r"}}


def test_schedules_and_rules(make: Make, server: AwsServer, tmp_path: Path) -> None:
    arn = function(make, tmp_path)["arn"]
    group = make("aws:scheduler/scheduleGroup:ScheduleGroup", "etl")["name"]
    schedule = make(
        "aws:scheduler/schedule:Schedule",
        "daily",
        groupName=group,
        scheduleExpression="cron(0 6 * * ? *)",
        scheduleExpressionTimezone="Europe/Berlin",
        flexibleTimeWindow={"mode": "FLEXIBLE", "maximumWindowInMinutes": 5.0},
        state="DISABLED",
        target={
            "arn": arn,
            "roleArn": "arn:aws:iam::123456789012:role/scheduler",
            "input": "{}",
            "retryPolicy": {"maximumRetryAttempts": 3.0, "maximumEventAgeInSeconds": 60.0},
            "deadLetterConfig": {"arn": "arn:aws:sqs:eu-central-1:123456789012:dead"},
        },
    )
    assert schedule["id"] == f"{group}/{schedule['name']}"
    found = server.client("scheduler").get_schedule(GroupName=group, Name=schedule["name"])
    assert found["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert found["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}
    assert found["State"] == "DISABLED"
    assert found["Target"]["RetryPolicy"] == {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 60}
    assert found["Target"]["DeadLetterConfig"] == {"Arn": "arn:aws:sqs:eu-central-1:123456789012:dead"}

    rule = make("aws:cloudwatch/eventRule:EventRule", "crawled", eventPattern='{"source": ["aws.glue"]}')["name"]
    make(
        "aws:cloudwatch/eventTarget:EventTarget",
        "crawled",
        rule=rule,
        arn=arn,
        inputTransformer={"inputPaths": {"crawlerName": "$.detail.crawlerName"}, "inputTemplate": "<crawlerName>"},
        retryPolicy={"maximumRetryAttempts": 2.0},
    )
    (target,) = server.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    assert target["Arn"] == arn
    assert target["InputTransformer"]["InputPathsMap"] == {"crawlerName": "$.detail.crawlerName"}
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 2}


def test_catalog_and_workgroup(make: Make, server: AwsServer) -> None:
    database = make("aws:glue/catalogDatabase:CatalogDatabase", "music", name="music")
    assert database["id"] == "123456789012:music"
    crawler = make(
        "aws:glue/crawler:Crawler",
        "tables",
        databaseName="music",
        role="arn:aws:iam::123456789012:role/crawler",
        s3Targets=[{"path": "s3://lake/tables/", "sampleSize": 1.0}],
        schemaChangePolicy={"deleteBehavior": "LOG"},
    )["name"]
    found = server.client("glue").get_crawler(Name=crawler)["Crawler"]
    assert found["Targets"]["S3Targets"] == [{"Path": "s3://lake/tables/", "SampleSize": 1}]
    assert found["SchemaChangePolicy"] == {"DeleteBehavior": "LOG"}
    make(
        "aws:athena/workgroup:Workgroup",
        "analysts",
        name="analysts",
        forceDestroy=True,
        configuration={
            "bytesScannedCutoffPerQuery": 10_000_000.0,
            "resultConfiguration": {
                "outputLocation": "s3://results/",
                "encryptionConfiguration": {"encryptionOption": "SSE_KMS", "kmsKeyArn": "arn:key"},
            },
        },
    )
    query = make("aws:athena/namedQuery:NamedQuery", "top", workgroup="analysts", database="music", query="SELECT 1")
    configuration = server.client("athena").get_work_group(WorkGroup="analysts")["WorkGroup"]["Configuration"]
    assert configuration["BytesScannedCutoffPerQuery"] == 10_000_000
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["ResultConfiguration"]["EncryptionConfiguration"] == {
        "EncryptionOption": "SSE_KMS",
        "KmsKey": "arn:key",
    }
    named = server.client("athena").get_named_query(NamedQueryId=query["id"])["NamedQuery"]
    assert (named["WorkGroup"], named["Database"], named["QueryString"]) == ("analysts", "music", "SELECT 1")


def test_dashboards_and_budgets(make: Make, server: AwsServer) -> None:
    body = json.dumps({"widgets": []})
    dashboard = make("aws:cloudwatch/dashboard:Dashboard", "flow", dashboardName="flow", dashboardBody=body)
    assert dashboard["dashboardArn"] == "arn:aws:cloudwatch::123456789012:dashboard/flow"
    assert server.client("cloudwatch").get_dashboard(DashboardName="flow")["DashboardBody"] == body

    topic = "arn:aws:sns:eu-central-1:123456789012:alerts"
    notification = {"comparisonOperator": "GREATER_THAN", "notificationType": "ACTUAL", "threshold": 100.0}
    subscribers = {"subscriberSnsTopicArns": [topic], "subscriberEmailAddresses": ["ana@example.com"]}
    limit = {"limitAmount": "20", "limitUnit": "USD", "budgetType": "COST", "timeUnit": "MONTHLY"}
    budget = make("aws:budgets/budget:Budget", "all", **limit, notifications=[notification | subscribers])
    assert budget["id"] == f"123456789012:{budget['name']}"
    budgets = server.client("budgets")
    about = {"AccountId": "123456789012", "BudgetName": budget["name"]}
    assert budgets.describe_budget(**about)["Budget"]["BudgetLimit"] == {"Amount": "20", "Unit": "USD"}
    [told] = budgets.describe_notifications_for_budget(**about)["Notifications"]
    assert (told["NotificationType"], told["Threshold"]) == ("ACTUAL", 100)
    with pytest.raises(UnsupportedResourceError, match="it needs limitAmount and limitUnit"):
        make("aws:budgets/budget:Budget", "none", budgetType="COST", timeUnit="MONTHLY")


@pytest.mark.slow
def test_identities_secrets_and_logs(make: Make, server: AwsServer) -> None:
    document = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
    )
    name = make("aws:iam/role:Role", "reader", assumeRolePolicy=TRUST, tags={"a": "b"})["name"]
    inline = make("aws:iam/rolePolicy:RolePolicy", "inline", role=name, policy=document)
    assert inline["id"] == f"{name}:{inline['name']}"
    policy = make("aws:iam/policy:Policy", "analyst", policy=document, description="read only")
    make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "analyst", role=name, policyArn=policy["arn"])
    iam = server.client("iam")
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == [inline["name"]]
    assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"][0]["PolicyArn"] == policy["arn"]

    secret = make("aws:secretsmanager/secret:Secret", "spotify", description="login", recoveryWindowInDays=0.0)
    assert secret["id"] == secret["arn"]
    make("aws:secretsmanager/secretVersion:SecretVersion", "spotify", secretId=secret["arn"], secretString="{}")
    assert server.client("secretsmanager").get_secret_value(SecretId=secret["name"])["SecretString"] == "{}"

    group = make("aws:cloudwatch/logGroup:LogGroup", "extract", retentionInDays=30.0)
    (found,) = server.client("logs").describe_log_groups()["logGroups"]
    assert (found["logGroupName"], found["retentionInDays"]) == (group["name"], 30)
    assert group["arn"] == f"arn:aws:logs:eu-central-1:123456789012:log-group:{group['name']}"


@pytest.mark.usefixtures("make")
def test_a_component_creates_nothing(server: AwsServer) -> None:
    mocks = AwsMocks("sample", "test")
    component = MockResourceArgs("sample:index:Lake", "lake", {"days": 30}, custom=False)
    assert mocks.new_resource(component) == ("", {"days": 30})
    existing = MockResourceArgs("aws:s3/bucket:Bucket", "raw", {}, custom=True, resource_id="raw")
    with pytest.raises(UnsupportedResourceError, match="importing or reading an existing resource is not supported"):
        mocks.new_resource(existing)
    unknown = pulumi.runtime.MockCallArgs("aws:ec2/getAmi:getAmi", {}, "")
    with pytest.raises(UnsupportedResourceError, match="The function aws:ec2/getAmi:getAmi is not supported"):
        mocks.call(unknown)
    assert server.client("s3").list_buckets()["Buckets"] == []
