"""What a refresh of Terraform or Pulumi reads of each kind of resource is what was deployed: no drift."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded_aws.services.lambda_.runtimes import OWN_RUNTIME
from tests.embedded_aws.stage import ACCOUNT, REGION, Stage, zipped

TAGS = [{"Key": "project", "Value": "music"}]
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:sample"


def same(read: Any, deployed: Any) -> bool:
    """Return whether all that was deployed is read; AWS may say more of it."""
    if isinstance(deployed, dict):
        return isinstance(read, dict) and all(key in read and same(read[key], deployed[key]) for key in deployed)
    if isinstance(deployed, list):
        return len(read) == len(deployed) and all(map(same, read, deployed))
    return bool(read == deployed)


def test_that_sees_what_is_lost_or_changed() -> None:
    deployed = {"a": [{"b": 1}], "c": None}
    assert same({"a": [{"b": 1, "x": 2}], "c": None}, deployed)
    assert not same({"a": [{"b": 2}], "c": None}, deployed)
    assert not same({"a": [{"b": 1}, {"b": 1}], "c": None}, deployed)
    assert not same({"a": [{"b": 1}]}, deployed)


@pytest.fixture
def created(stage: Stage) -> Stage:
    """Return a stage with a role, a function and a queue."""
    stage.function("sample", "def handler(event, context): ...")
    stage.client("sqs").create_queue(QueueName="events")
    return stage


def test_functions(stage: Stage) -> None:
    functions = stage.client("lambda")
    role = stage.role("worker", "lambda.amazonaws.com", {"Action": "logs:*", "Resource": "*"})
    settings: dict[str, Any] = {
        "FunctionName": "full",
        "Runtime": OWN_RUNTIME,
        "Role": role,
        "Handler": "main.handler",
        "Description": "about it",
        "Timeout": 30,
        "MemorySize": 256,
        "Architectures": ["arm64"],
        "Environment": {"Variables": {"A": "1"}},
        "EphemeralStorage": {"Size": 1024},
        "TracingConfig": {"Mode": "Active"},
        "DeadLetterConfig": {"TargetArn": QUEUE},
        "LoggingConfig": {
            "LogFormat": "JSON",
            "ApplicationLogLevel": "INFO",
            "SystemLogLevel": "WARN",
            "LogGroup": "/music/full",
        },
    }
    functions.create_function(**settings, Code={"ZipFile": zipped({"main.py": ""})}, Tags={"project": "music"})
    read = functions.get_function(FunctionName="full")
    assert same(read["Configuration"], settings)
    assert read["Tags"] == {"project": "music"}
    change = {"LoggingConfig": {"LogFormat": "Text", "LogGroup": "/music/other"}, "Timeout": 40}
    functions.update_function_configuration(FunctionName="full", **change)
    for found in (
        functions.get_function_configuration(FunctionName="full"),
        functions.list_versions_by_function(FunctionName="full")["Versions"][0],
        functions.list_functions()["Functions"][0],
    ):
        assert same(found, settings | change)
        assert found["LoggingConfig"] == change["LoggingConfig"]
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName="full")


def test_functions_with_nothing_but_what_they_need(created: Stage) -> None:
    functions = created.client("lambda")
    read = functions.get_function(FunctionName="sample")
    assert same(
        read["Configuration"],
        {
            "Description": "",
            "Timeout": 20,
            "MemorySize": 512,
            "Architectures": ["x86_64"],
            "EphemeralStorage": {"Size": 512},
            "TracingConfig": {"Mode": "PassThrough"},
            "PackageType": "Zip",
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/sample"},
        },
    )
    assert {"DeadLetterConfig", "Environment", "VpcConfig"}.isdisjoint(read["Configuration"])
    assert "Tags" not in read


def test_invocations_of_functions(created: Stage) -> None:
    functions = created.client("lambda")
    mapping = {
        "EventSourceArn": QUEUE,
        "BatchSize": 20,
        "MaximumBatchingWindowInSeconds": 5,
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "ScalingConfig": {"MaximumConcurrency": 2},
        "FilterCriteria": {"Filters": [{"Pattern": '{"body":{"a":[1]}}'}]},
    }
    made = functions.create_event_source_mapping(FunctionName="sample", **mapping, Tags={"project": "music"})
    read = functions.get_event_source_mapping(UUID=made["UUID"])
    assert same(read, mapping | {"FunctionArn": FUNCTION, "State": "Enabled"})
    assert functions.list_tags(Resource=made["EventSourceMappingArn"])["Tags"] == {"project": "music"}
    plain = functions.create_event_source_mapping(FunctionName="sample", EventSourceArn=QUEUE, Enabled=False)
    read = functions.get_event_source_mapping(UUID=plain["UUID"])
    assert same(read, {"BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "State": "Disabled"})
    assert {"FilterCriteria", "FunctionResponseTypes", "ScalingConfig"}.isdisjoint(read)
    retries = {
        "MaximumRetryAttempts": 1,
        "MaximumEventAgeInSeconds": 600,
        "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
    }
    functions.put_function_event_invoke_config(FunctionName="sample", **retries)
    assert same(functions.get_function_event_invoke_config(FunctionName="sample"), retries)


def test_queues(created: Stage) -> None:
    sqs = created.client("sqs")
    redrive = json.dumps({"deadLetterTargetArn": QUEUE, "maxReceiveCount": 3}, separators=(",", ":"))
    given = {"RedrivePolicy": redrive, "VisibilityTimeout": "60", "MessageRetentionPeriod": "1209600"}
    url = sqs.create_queue(QueueName="main", Attributes=given, tags={"project": "music"})["QueueUrl"]

    def read(address: str) -> dict[str, str]:
        found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["All"])["Attributes"]
        return found

    assert same(read(url), given | {"SqsManagedSseEnabled": "true", "DelaySeconds": "0"})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"project": "music"}
    # Terraform deploys it apart, and a number of a policy may come back as a number only.
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive.replace(":3}", ":5}")})
    assert json.loads(read(url)["RedrivePolicy"]) == {"deadLetterTargetArn": QUEUE, "maxReceiveCount": 5}
    dead = sqs.get_queue_url(QueueName="events")["QueueUrl"]
    assert {"Policy", "RedriveAllowPolicy", "RedrivePolicy"}.isdisjoint(read(dead))
    allow = {"redrivePermission": "byQueue", "sourceQueueArns": [f"arn:aws:sqs:{REGION}:{ACCOUNT}:main"]}
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": json.dumps(allow)})
    assert json.loads(read(dead)["RedriveAllowPolicy"]) == allow
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": ""})
    assert "RedrivePolicy" not in read(url)


def test_schedules(created: Stage) -> None:
    scheduler = created.client("scheduler")
    role = created.role("caller", "scheduler.amazonaws.com")
    schedule: dict[str, Any] = {
        "Name": "daily",
        "Description": "each day",
        "ScheduleExpression": "cron(0 6 * * ? *)",
        "ScheduleExpressionTimezone": "Europe/Berlin",
        "FlexibleTimeWindow": {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5},
        "State": "DISABLED",
        "Target": {
            "Arn": FUNCTION,
            "RoleArn": role,
            "Input": '{"a": 1}',
            "RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600},
            "DeadLetterConfig": {"Arn": QUEUE},
        },
    }
    scheduler.create_schedule(**schedule)
    assert same(scheduler.get_schedule(Name="daily"), schedule | {"GroupName": "default"})
    plain = {"ScheduleExpression": "rate(1 hour)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    scheduler.create_schedule(Name="hourly", **plain, Target={"Arn": FUNCTION, "RoleArn": role})
    read = scheduler.get_schedule(Name="hourly")
    defaults = {"RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}}
    assert same(
        read, plain | {"ScheduleExpressionTimezone": "UTC", "State": "ENABLED", "Target": {"Arn": FUNCTION, **defaults}}
    )
    assert {"Input", "DeadLetterConfig"}.isdisjoint(read["Target"])
    assert {"StartDate", "EndDate", "KmsKeyArn", "Description"}.isdisjoint(read)


def test_crawlers_and_databases(stage: Stage) -> None:
    glue = stage.client("glue")
    database = {"Name": "music", "Description": "of tests", "Parameters": {"a": "b"}}
    glue.create_database(DatabaseInput=database, Tags={"project": "music"})
    assert same(glue.get_database(Name="music")["Database"], database)
    crawler: dict[str, Any] = {
        "Name": "tables",
        "Role": "crawling",
        "DatabaseName": "music",
        "Description": "each day",
        "Targets": {"S3Targets": [{"Path": "s3://lake-bucket/tables/", "Exclusions": ["**.json"]}]},
        "TablePrefix": "t_",
        "SchemaChangePolicy": {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"},
        "RecrawlPolicy": {"RecrawlBehavior": "CRAWL_EVERYTHING"},
        "Configuration": '{"Version":1.0,"Grouping":{"TableLevelConfiguration":3}}',
    }
    glue.create_crawler(**crawler, Schedule="cron(0 6 * * ? *)", Tags={"project": "music"})
    read = glue.get_crawler(Name="tables")["Crawler"]
    assert same(read, crawler | {"Schedule": {"ScheduleExpression": "cron(0 6 * * ? *)", "State": "SCHEDULED"}})
    for kind, name in (("crawler", "tables"), ("database", "music")):
        arn = f"arn:aws:glue:{REGION}:{ACCOUNT}:{kind}/{name}"
        assert glue.get_tags(ResourceArn=arn)["Tags"] == {"project": "music"}
    glue.create_crawler(**(crawler | {"Name": "plain"}))
    assert "Schedule" not in glue.get_crawler(Name="plain")["Crawler"]
    assert glue.get_tags(ResourceArn=f"arn:aws:glue:{REGION}:{ACCOUNT}:crawler/plain")["Tags"] == {}


def test_workgroups_and_named_queries(stage: Stage) -> None:
    athena = stage.client("athena")
    configuration: dict[str, Any] = {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "BytesScannedCutoffPerQuery": 10_000_000,
        "RequesterPaysEnabled": False,
        "ResultConfiguration": {
            "OutputLocation": "s3://results-bucket/answers/",
            "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
        },
        "EngineVersion": {"SelectedEngineVersion": "AUTO"},
    }
    athena.create_work_group(Name="analysts", Description="all", Configuration=configuration, Tags=TAGS)
    athena.create_work_group(Name="plain")

    def read(name: str) -> tuple[dict[str, Any], list[dict[str, str]]]:
        arn = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/{name}"
        group: dict[str, Any] = athena.get_work_group(WorkGroup=name)["WorkGroup"]
        return group, athena.list_tags_for_resource(ResourceARN=arn)["Tags"]

    effective = {"EffectiveEngineVersion": "Athena engine version 3"}
    group, tags = read("analysts")
    assert same(group, {"Description": "all", "State": "ENABLED", "Configuration": configuration})
    assert same(group["Configuration"]["EngineVersion"], effective)
    assert tags == TAGS
    # Workgroups without tags are read as such, the one that each account has among them.
    for name in ("plain", "primary"):
        group, tags = read(name)
        assert same(group["Configuration"], {"EngineVersion": {"SelectedEngineVersion": "AUTO", **effective}})
        assert "BytesScannedCutoffPerQuery" not in group["Configuration"]
        assert tags == []
    athena.update_work_group(
        WorkGroup="analysts",
        ConfigurationUpdates={"EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"}},
    )
    selected = {"SelectedEngineVersion": "Athena engine version 3"}
    assert read("analysts")[0]["Configuration"]["EngineVersion"] == selected | effective
    query = {"Name": "top", "Database": "music", "QueryString": "SELECT 1", "WorkGroup": "analysts"}
    identifier = athena.create_named_query(**query, Description="all")["NamedQueryId"]
    assert same(athena.get_named_query(NamedQueryId=identifier)["NamedQuery"], query | {"Description": "all"})


BUCKET_SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "bucket_versioning": ("VersioningConfiguration", {"Status": "Enabled"}),
    "public_access_block": (
        "PublicAccessBlockConfiguration",
        {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": False},
    ),
    "bucket_ownership_controls": ("OwnershipControls", {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}),
    "bucket_encryption": (
        "ServerSideEncryptionConfiguration",
        {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": True}]},
    ),
    "bucket_lifecycle_configuration": (
        "LifecycleConfiguration",
        {
            "Rules": [
                {
                    "ID": "answers",
                    "Status": "Enabled",
                    "Filter": {"Prefix": "answers/"},
                    "Expiration": {"Days": 30},
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 7},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                },
                {"ID": "all", "Status": "Disabled", "Filter": {}, "Expiration": {"Days": 365}},
            ]
        },
    ),
    "bucket_notification_configuration": (
        "NotificationConfiguration",
        {
            "QueueConfigurations": [
                {
                    "Id": "raw",
                    "QueueArn": QUEUE,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}},
                }
            ]
        },
    ),
    "bucket_tagging": ("Tagging", {"TagSet": TAGS}),
}


def test_buckets(created: Stage) -> None:
    s3, sqs = created.client("s3"), created.client("sqs")
    s3.create_bucket(Bucket="a-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": QUEUE}]}
    url = sqs.get_queue_url(QueueName="events")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    for operation, (argument, setting) in BUCKET_SETTINGS.items():
        getattr(s3, f"put_{operation}")(Bucket="a-bucket", **{argument: setting})
        read = getattr(s3, f"get_{operation}")(Bucket="a-bucket")
        assert same(read.get(argument, read), setting), operation
    only = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}, "Principal": "*", "Action": "s3:*"}
    policy["Statement"] = [{"Effect": "Deny", "Resource": ["arn:aws:s3:::a-bucket/*"], **only}]
    s3.put_bucket_policy(Bucket="a-bucket", Policy=json.dumps(policy))
    assert json.loads(s3.get_bucket_policy(Bucket="a-bucket")["Policy"]) == policy
    assert s3.get_bucket_location(Bucket="a-bucket")["LocationConstraint"] == REGION


def test_alarms_and_dashboards(stage: Stage) -> None:
    cloudwatch = stage.client("cloudwatch")
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"
    simple: dict[str, Any] = {
        "AlarmName": "errors",
        "AlarmDescription": "a function failed",
        "Namespace": "AWS/Lambda",
        "MetricName": "Errors",
        "Dimensions": [{"Name": "FunctionName", "Value": "sample"}],
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 2,
        "DatapointsToAlarm": 1,
        "Threshold": 0.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": [topic],
        "OKActions": [topic],
    }
    metric = {"Namespace": "N", "MetricName": "M", "Dimensions": [{"Name": "A", "Value": "B"}]}
    computed: dict[str, Any] = {
        "AlarmName": "silence",
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "LessThanThreshold",
        "Metrics": [
            {"Id": "filled", "Expression": "FILL(runs, 0)", "Label": "runs", "ReturnData": True},
            {"Id": "runs", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": False},
        ],
    }
    cloudwatch.put_metric_alarm(**simple, Tags=TAGS)
    cloudwatch.put_metric_alarm(**computed)
    read = cloudwatch.describe_alarms()["MetricAlarms"]
    assert same(read, [simple | {"ActionsEnabled": True, "InsufficientDataActions": []}, computed])
    assert {"MetricName", "Statistic", "Period", "Namespace"}.isdisjoint(read[1])
    assert cloudwatch.list_tags_for_resource(ResourceARN=read[0]["AlarmArn"])["Tags"] == TAGS
    assert cloudwatch.list_tags_for_resource(ResourceARN=read[1]["AlarmArn"])["Tags"] == []
    body = {"widgets": [{"type": "text", "width": 6, "height": 6, "properties": {"markdown": "x"}}]}
    cloudwatch.put_dashboard(DashboardName="overview", DashboardBody=json.dumps(body))
    assert json.loads(cloudwatch.get_dashboard(DashboardName="overview")["DashboardBody"]) == body


def test_budgets(stage: Stage) -> None:
    budgets = stage.client("budgets")
    budget = {
        "BudgetName": "monthly",
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "5", "Unit": "USD"},
        "CostFilters": {"TagKeyValue": ["user:project$music"]},
    }
    notification = {
        "NotificationType": "ACTUAL",
        "ComparisonOperator": "GREATER_THAN",
        "Threshold": 80.0,
        "ThresholdType": "PERCENTAGE",
    }
    subscribers = [{"SubscriptionType": "EMAIL", "Address": "owner@example.org"}]
    budgets.create_budget(
        AccountId=ACCOUNT,
        Budget=budget,
        NotificationsWithSubscribers=[{"Notification": notification, "Subscribers": subscribers}],
        ResourceTags=TAGS,
    )
    where = {"AccountId": ACCOUNT, "BudgetName": "monthly"}
    assert same(budgets.describe_budget(**where)["Budget"], budget)
    assert same(budgets.describe_notifications_for_budget(**where)["Notifications"], [notification])
    read = budgets.describe_subscribers_for_notification(**where, Notification=notification)
    assert read["Subscribers"] == subscribers
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/monthly"
    assert budgets.list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == TAGS


def test_secrets(stage: Stage) -> None:
    secrets = stage.client("secretsmanager")
    arn = secrets.create_secret(Name="app", Description="credentials", Tags=TAGS)["ARN"]
    read = secrets.describe_secret(SecretId=arn)
    assert same(read, {"ARN": arn, "Name": "app", "Description": "credentials", "Tags": TAGS})
    assert {"DeletedDate", "KmsKeyId", "OwningService", "RotationRules"}.isdisjoint(read)
    assert not read.get("RotationEnabled")
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=arn)
    # A value that the pipeline stores later is none of the deployment's.
    secrets.put_secret_value(SecretId=arn, SecretString="later")
    assert same(secrets.describe_secret(SecretId=arn), {"Name": "app", "Description": "credentials", "Tags": TAGS})


def test_topics_and_rules(created: Stage) -> None:
    sns, events = created.client("sns"), created.client("events")
    topic = sns.create_topic(Name="alerts", Tags=TAGS)["TopicArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "budgets.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": topic,
            }
        ],
    }
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps(policy))
    assert json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]) == policy
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == TAGS
    address = {"TopicArn": topic, "Protocol": "email", "Endpoint": "owner@example.org"}
    subscription = sns.subscribe(**address, ReturnSubscriptionArn=True)["SubscriptionArn"]
    assert same(sns.get_subscription_attributes(SubscriptionArn=subscription)["Attributes"], address)

    pattern = {"source": ["aws.glue"], "detail": {"state": ["Succeeded"]}}
    events.put_rule(Name="crawled", EventPattern=json.dumps(pattern), Description="a crawl ended", Tags=TAGS)
    rule = events.describe_rule(Name="crawled")
    assert same(rule, {"Description": "a crawl ended", "State": "ENABLED", "EventBusName": "default"})
    assert json.loads(rule["EventPattern"]) == pattern
    assert events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"] == TAGS
    targets = [
        {
            "Id": "publish",
            "Arn": FUNCTION,
            "Input": "{}",
            "RetryPolicy": {"MaximumRetryAttempts": 1, "MaximumEventAgeInSeconds": 60},
            "DeadLetterConfig": {"Arn": QUEUE},
        }
    ]
    events.put_targets(Rule="crawled", Targets=targets)
    assert events.list_targets_by_rule(Rule="crawled")["Targets"] == targets


def test_roles_and_log_groups(stage: Stage) -> None:
    iam, logs = stage.client("iam"), stage.client("logs")
    role = {"RoleName": "worker", "Description": "works", "MaxSessionDuration": 3600, "Path": "/music/"}
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam.create_role(**role, AssumeRolePolicyDocument=json.dumps(trust), Tags=TAGS)
    allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}
    iam.put_role_policy(RoleName="worker", PolicyName="inline", PolicyDocument=json.dumps(allowed))
    read = iam.get_role(RoleName="worker")["Role"]
    assert same(read, role | {"AssumeRolePolicyDocument": trust, "Tags": TAGS})
    assert iam.get_role_policy(RoleName="worker", PolicyName="inline")["PolicyDocument"] == allowed
    assert iam.list_role_policies(RoleName="worker")["PolicyNames"] == ["inline"]
    assert iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"] == []

    logs.create_log_group(logGroupName="/music/worker", tags={"project": "music"})
    logs.put_retention_policy(logGroupName="/music/worker", retentionInDays=14)
    logs.create_log_group(logGroupName="/music/plain")
    plain, worker = logs.describe_log_groups(logGroupNamePrefix="/music/")["logGroups"]
    assert worker["retentionInDays"] == 14
    assert "retentionInDays" not in plain
    assert logs.list_tags_for_resource(resourceArn=worker["logGroupArn"])["tags"] == {"project": "music"}
    assert logs.list_tags_for_resource(resourceArn=plain["logGroupArn"])["tags"] == {}
