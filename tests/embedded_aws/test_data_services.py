"""An account with a data folder comes back as it was, service by service, from what was on disk while it ran."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedded_aws.iam.credentials import AwsCredentials
from tests.embedded_aws.athena_lab import ended
from tests.embedded_aws.stage import ACCOUNT, REGION, START, Stage, zipped

CALLS = "arn:aws:sqs:eu-central-1:123456789012:calls"


@dataclass(frozen=True)
class Service:
    """How the state of a service is made, and read."""

    make: Callable[[Stage], None]
    read: Callable[[Stage], Any]


def make_objects(aws: Stage) -> None:
    s3 = aws.client("s3")
    for bucket in ("plain", "versioned"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_tagging(Bucket="plain", Tagging={"TagSet": [{"Key": "owner", "Value": "me"}]})
    s3.put_bucket_policy(Bucket="plain", Policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
    s3.put_bucket_encryption(
        Bucket="plain",
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    s3.put_object(
        Bucket="plain", Key="a b/ü?.txt", Body=b"small", Metadata={"k": "v"}, ContentType="text/x", Tagging="t=1"
    )
    s3.put_object(Bucket="plain", Key="large", Body=bytes(range(256)) * 1000)
    s3.copy_object(Bucket="plain", Key="copy", CopySource="plain/large", TaggingDirective="REPLACE", Tagging="c=2")
    s3.put_object(Bucket="plain", Key="retagged", Body=b"x", Tagging="old=1")
    s3.put_object_tagging(Bucket="plain", Key="retagged", Tagging={"TagSet": [{"Key": "new", "Value": "2"}]})
    s3.put_object(Bucket="plain", Key="deleted", Body=b"y")
    s3.delete_object(Bucket="plain", Key="deleted")
    for body in (b"one", b"two"):
        s3.put_object(Bucket="versioned", Key="k", Body=body)
    s3.put_object(Bucket="versioned", Key="gone", Body=b"z")
    s3.delete_object(Bucket="versioned", Key="gone")
    upload = s3.create_multipart_upload(Bucket="plain", Key="multipart")["UploadId"]
    part = s3.upload_part(Bucket="plain", Key="multipart", UploadId=upload, PartNumber=1, Body=b"p" * 20_000)
    s3.complete_multipart_upload(
        Bucket="plain",
        Key="multipart",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    unfinished = s3.create_multipart_upload(Bucket="plain", Key="unfinished")["UploadId"]
    s3.upload_part(Bucket="plain", Key="unfinished", UploadId=unfinished, PartNumber=1, Body=b"u" * 20_000)


def read_objects(aws: Stage) -> Any:
    s3 = aws.client("s3")
    objects = {}
    for entry in s3.list_objects_v2(Bucket="plain")["Contents"]:
        got = s3.get_object(Bucket="plain", Key=entry["Key"])
        tags = s3.get_object_tagging(Bucket="plain", Key=entry["Key"])["TagSet"]
        objects[entry["Key"]] = (
            got["Body"].read(),
            got["Metadata"],
            got["ContentType"],
            got["ETag"],
            tags,
            entry["LastModified"],
        )
    versions = s3.list_object_versions(Bucket="versioned")
    (unfinished,) = s3.list_multipart_uploads(Bucket="plain")["Uploads"]
    parts = s3.list_parts(Bucket="plain", Key="unfinished", UploadId=unfinished["UploadId"])["Parts"]
    return (
        objects,
        [(one["Key"], one["VersionId"], one["IsLatest"], one["ETag"]) for one in versions["Versions"]],
        [(one["Key"], one["VersionId"]) for one in versions["DeleteMarkers"]],
        [
            s3.get_object(Bucket="versioned", Key="k", VersionId=one["VersionId"])["Body"].read()
            for one in versions["Versions"]
            if one["Key"] == "k"
        ],
        s3.get_bucket_tagging(Bucket="plain")["TagSet"],
        s3.get_bucket_policy(Bucket="plain")["Policy"],
        s3.get_bucket_encryption(Bucket="plain")["ServerSideEncryptionConfiguration"],
        (unfinished["UploadId"], [(part["PartNumber"], part["ETag"], part["Size"]) for part in parts]),
    )


def make_catalog(aws: Stage) -> None:
    glue = aws.client("glue")
    glue.create_database(DatabaseInput={"Name": "weather", "Description": "of stations"})
    columns = [{"Name": "celsius", "Type": "double"}]
    table = {
        "Name": "readings",
        "StorageDescriptor": {"Columns": columns},
        "PartitionKeys": [{"Name": "day", "Type": "date"}],
    }
    glue.create_table(DatabaseName="weather", TableInput=table)
    glue.update_table(DatabaseName="weather", TableInput={**table, "Description": "changed"})
    glue.create_partition(
        DatabaseName="weather",
        TableName="readings",
        PartitionInput={"Values": ["2026-03-02"], "Parameters": {"p": "1"}},
    )
    role = aws.role("crawl", "glue.amazonaws.com", {"Action": "*", "Resource": "*"})
    glue.create_crawler(
        Name="nightly", DatabaseName="weather", Role=role, Targets={"S3Targets": [{"Path": "s3://plain/x/"}]}
    )
    glue.start_crawler(Name="nightly")
    aws.run_for(minutes=3)


def read_catalog(aws: Stage) -> Any:
    glue = aws.client("glue")
    return (
        glue.get_databases()["DatabaseList"],
        glue.get_tables(DatabaseName="weather")["TableList"],
        glue.get_table_versions(DatabaseName="weather", TableName="readings")["TableVersions"],
        glue.get_partitions(DatabaseName="weather", TableName="readings")["Partitions"],
        glue.get_crawler(Name="nightly")["Crawler"],
        glue.list_crawls(CrawlerName="nightly")["Crawls"],
    )


def make_secrets(aws: Stage) -> None:
    secrets = aws.client("secretsmanager")
    secrets.create_secret(Name="token", SecretString="first", Tags=[{"Key": "a", "Value": "b"}])
    secrets.put_secret_value(SecretId="token", SecretString="second")


def read_secrets(aws: Stage) -> Any:
    secrets = aws.client("secretsmanager")
    stages = ("AWSCURRENT", "AWSPREVIOUS")
    described = secrets.describe_secret(SecretId="token")
    return (
        [secrets.get_secret_value(SecretId="token", VersionStage=stage)["SecretString"] for stage in stages],
        described["ARN"],
        described["Tags"],
        described["VersionIdsToStages"],
    )


def make_identities(aws: Stage) -> None:
    iam = aws.client("iam")
    iam.create_user(UserName="ada")
    allowed = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    )
    arn = iam.create_policy(PolicyName="queues", PolicyDocument=allowed)["Policy"]["Arn"]
    iam.create_group(GroupName="staff")
    iam.attach_group_policy(GroupName="staff", PolicyArn=arn)
    iam.add_user_to_group(GroupName="staff", UserName="ada")
    key = iam.create_access_key(UserName="ada")["AccessKey"]
    aws.folder.with_name("ada.json").write_text(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))


def read_identities(aws: Stage) -> Any:
    identifier, secret = json.loads(aws.folder.with_name("ada.json").read_text())
    key = AwsCredentials(identifier, secret, None)
    iam = aws.client("iam")
    return (
        aws.server.client("sts", key).get_caller_identity()["Arn"],
        aws.server.client("sqs", key).list_queues()["QueueUrls"][0].rpartition("/")[2],
        iam.list_groups_for_user(UserName="ada")["Groups"],
        sorted(role["RoleName"] for role in iam.list_roles()["Roles"]),
        aws.server.owner,
    )


def make_session(aws: Stage) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    user = aws.client("iam").create_role(RoleName="operator", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    aws.allow("operator", {"Action": "sqs:*", "Resource": "*"})
    session = aws.server.backend("sts").assume_role(
        region_name=REGION, role_session_name="me", role_arn=user, policy="", duration=3600, external_id=""
    )
    aws.server.gate.settle()
    keys = [session.access_key_id, session.secret_access_key, session.session_token]
    aws.folder.with_name("session.json").write_text(json.dumps(keys))


def read_session(aws: Stage) -> Any:
    key = AwsCredentials(*json.loads(aws.folder.with_name("session.json").read_text()))
    return aws.server.client("sts", key).get_caller_identity()["Arn"]


def make_functions(aws: Stage) -> None:
    aws.queue("failures")
    aws.function(
        "greet",
        """
        import os, helper
        def handler(event, context):
            return {"greeting": helper.word + " " + os.environ["WHOM"]}
        """,
        Environment={"Variables": {"WHOM": "world"}},
        Layers=[
            aws.client("lambda").publish_layer_version(
                LayerName="words", Content={"ZipFile": zipped({"python/helper.py": f"word = 'hello'  # {'x' * 9000}"})}
            )["LayerVersionArn"]
        ],
        DeadLetterConfig={"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:failures"},
        LoggingConfig={"LogFormat": "Text", "LogGroup": "greetings"},
        Tags={"t": "1"},
    )
    client = aws.client("lambda")
    client.put_function_event_invoke_config(FunctionName="greet", MaximumRetryAttempts=1)
    client.create_event_source_mapping(
        FunctionName="greet", EventSourceArn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:failures", Enabled=False, BatchSize=7
    )


def read_functions(aws: Stage) -> Any:
    client = aws.client("lambda")
    described = client.get_function(FunctionName="greet")
    (mapping,) = client.list_event_source_mappings(FunctionName="greet")["EventSourceMappings"]
    return (
        described["Configuration"],
        described["Tags"],
        client.get_function_event_invoke_config(FunctionName="greet")["MaximumRetryAttempts"],
        (mapping["UUID"], mapping["BatchSize"], mapping["State"]),
        aws.server.extras.function(described["Configuration"]["FunctionArn"]),
        aws.invoke("greet")["Payload"],
    )


def make_schedules(aws: Stage) -> None:
    aws.queue("calls")
    role = aws.role("call", "scheduler.amazonaws.com", {"Action": "sqs:SendMessage", "Resource": "*"})
    scheduler = aws.client("scheduler")
    scheduler.create_schedule_group(Name="mine")
    scheduler.create_schedule(
        Name="yearly",
        GroupName="mine",
        ScheduleExpression="cron(0 0 1 1 ? *)",
        ScheduleExpressionTimezone="Europe/Berlin",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": CALLS, "RoleArn": role, "RetryPolicy": {"MaximumRetryAttempts": 3}},
    )
    events = aws.client("events")
    events.put_rule(Name="changes", EventPattern=json.dumps({"source": ["mine"]}))
    events.put_targets(Rule="changes", Targets=[{"Id": "1", "Arn": CALLS, "InputPath": "$.detail"}])


def read_schedules(aws: Stage) -> Any:
    return (
        _plain(aws.client("scheduler").get_schedule(GroupName="mine", Name="yearly")),
        _plain(aws.client("events").describe_rule(Name="changes")),
        aws.client("events").list_targets_by_rule(Rule="changes")["Targets"],
    )


def make_messages(aws: Stage) -> None:
    url, _ = aws.queue("inbox", VisibilityTimeout="600")
    sqs = aws.client("sqs")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": '{"redrivePermission":"denyAll"}'})
    attributes = {"colour": {"DataType": "String", "StringValue": "red"}}
    for body in ("taken", "deleted", "waiting", "large" * 4000):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    assert [one["Body"] for one in sqs.receive_message(QueueUrl=url)["Messages"]] == ["taken"]
    (second,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT}:inbox")


def read_messages(aws: Stage) -> Any:
    url = aws.client("sqs").get_queue_url(QueueName="inbox")["QueueUrl"].rpartition("/")[2]
    kept = (
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "VisibilityTimeout",
        "RedriveAllowPolicy",
    )
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    visible = [(one["Body"], one["MessageAttributes"]) for one in aws.messages(url)]
    return (
        [attributes[name] for name in kept],
        visible,
        aws.client("sns").list_subscriptions()["Subscriptions"],
    )


def make_logs(aws: Stage) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="group", tags={"t": "1"})
    logs.put_retention_policy(logGroupName="group", retentionInDays=7)
    for stream in ("one", "two"):
        logs.create_log_stream(logGroupName="group", logStreamName=stream)
        for number in range(3):
            event = {"timestamp": int(aws.now.timestamp() * 1000), "message": f"{stream} {number} {'x' * 9000}"}
            logs.put_log_events(logGroupName="group", logStreamName=stream, logEvents=[event])
    logs.create_log_stream(logGroupName="group", logStreamName="dropped")
    logs.delete_log_stream(logGroupName="group", logStreamName="dropped")


def read_logs(aws: Stage) -> Any:
    logs = aws.client("logs")
    return (
        logs.describe_log_groups(logGroupNamePrefix="group")["logGroups"],
        logs.describe_log_streams(logGroupName="group")["logStreams"],
        logs.filter_log_events(logGroupName="group")["events"],
    )


def make_queries(aws: Stage) -> None:
    s3, athena, glue = aws.client("s3"), aws.client("athena"), aws.client("glue")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": REGION})
    content = io.BytesIO()
    pq.write_table(pa.table({"n": [1, 2, 3]}), content)
    s3.put_object(Bucket="lake", Key="numbers/1.parquet", Body=content.getvalue())
    glue.create_database(DatabaseInput={"Name": "lake"})
    formats = "org.apache.hadoop.hive.ql.io.parquet."
    glue.create_table(
        DatabaseName="lake",
        TableInput={
            "Name": "numbers",
            "StorageDescriptor": {
                "Columns": [{"Name": "n", "Type": "bigint"}],
                "Location": "s3://lake/numbers/",
                "InputFormat": f"{formats}MapredParquetInputFormat",
                "SerdeInfo": {"SerializationLibrary": f"{formats}serde.ParquetHiveSerDe"},
            },
        },
    )
    athena.create_work_group(
        Name="analysts", Configuration={"ResultConfiguration": {"OutputLocation": "s3://lake/out/"}}
    )
    athena.create_named_query(Name="total", Database="lake", QueryString="SELECT 1", WorkGroup="analysts")
    athena.create_prepared_statement(StatementName="by", WorkGroup="analysts", QueryStatement="SELECT ?")
    group = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/analysts"
    aws.role("analyst", "lambda.amazonaws.com", {"Action": "athena:GetQueryExecution", "Resource": group})
    for sql in ("SELECT sum(n) AS total FROM numbers", "SELECT nonsense"):
        started = athena.start_query_execution(
            QueryString=sql, WorkGroup="analysts", QueryExecutionContext={"Database": "lake"}
        )
        ended(athena, started["QueryExecutionId"])


def read_queries(aws: Stage) -> Any:
    athena = aws.client("athena")
    identifiers = athena.list_query_executions(WorkGroup="analysts")["QueryExecutionIds"]
    executions = [athena.get_query_execution(QueryExecutionId=one)["QueryExecution"] for one in identifiers]
    (succeeded,) = [one["QueryExecutionId"] for one in executions if one["Status"]["State"] == "SUCCEEDED"]
    analyst = aws.client("iam").get_role(RoleName="analyst")["Role"]["Arn"]
    credentials = aws.server.assume(analyst, "lambda.amazonaws.com", "analyst")
    seen = aws.server.client("athena", credentials).get_query_execution(QueryExecutionId=succeeded)
    return (
        executions,
        seen["QueryExecution"],
        athena.get_query_results(QueryExecutionId=succeeded)["ResultSet"],
        athena.list_named_queries(WorkGroup="analysts")["NamedQueryIds"],
        athena.get_work_group(WorkGroup="analysts")["WorkGroup"]["Configuration"],
        _plain(athena.get_prepared_statement(StatementName="by", WorkGroup="analysts")),
    )


def make_keys(aws: Stage) -> None:
    key = aws.client("kms").create_key(Description="mine")["KeyMetadata"]["KeyId"]
    aws.client("kms").create_alias(AliasName="alias/mine", TargetKeyId=key)
    sealed = aws.client("kms").encrypt(KeyId=key, Plaintext=b"open sesame")["CiphertextBlob"]
    aws.folder.with_name("sealed").write_bytes(sealed)


def read_keys(aws: Stage) -> Any:
    sealed = aws.folder.with_name("sealed").read_bytes()
    return aws.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"], aws.client("kms").list_aliases()["Aliases"]


def make_others(aws: Stage) -> None:
    aws.client("ssm").put_parameter(Name="/a/b", Value="1", Type="String")
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName="late",
        Namespace="mine",
        MetricName="age",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1.0,
        ComparisonOperator="GreaterThanThreshold",
        Statistic="Sum",
    )
    table = aws.client("dynamodb")
    table.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    table.put_item(TableName="t", Item={"k": {"S": "a"}, "v": {"N": "1"}})


def read_others(aws: Stage) -> Any:
    return (
        aws.client("ssm").get_parameter(Name="/a/b")["Parameter"]["Value"],
        [one["AlarmArn"] for one in aws.client("cloudwatch").describe_alarms()["MetricAlarms"]],
        aws.client("dynamodb").scan(TableName="t")["Items"],
    )


def _plain(response: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in response.items() if key != "ResponseMetadata"}


SERVICES = {
    "s3": Service(make_objects, read_objects),
    "glue": Service(make_catalog, read_catalog),
    "secretsmanager": Service(make_secrets, read_secrets),
    "scheduler and events": Service(make_schedules, read_schedules),
    "iam": Service(make_identities, read_identities),
    "sts": Service(make_session, read_session),
    "lambda": Service(make_functions, read_functions),
    "sqs and sns": Service(make_messages, read_messages),
    "logs": Service(make_logs, read_logs),
    "athena": Service(make_queries, read_queries),
    "kms": Service(make_keys, read_keys),
    "others": Service(make_others, read_others),
}


@dataclass(frozen=True)
class Lives:
    before: dict[str, Any]
    after_kill: dict[str, Any]
    after_stop: dict[str, Any]


def everything(aws: Stage) -> dict[str, Any]:
    return {name: service.read(aws) for name, service in SERVICES.items()}


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Lives:
    """What clients read in the first life of an account, in one after it was killed, and in one after a stop."""
    folder = tmp_path_factory.mktemp("lives")
    work, first, copy = folder / "work", folder / "first", folder / "copy"
    with ExitStack() as running:
        aws = running.enter_context(Stage(work, data=first))
        for service in SERVICES.values():
            service.make(aws)
        before = everything(aws)
        # What a killed process leaves: every file as it is at this moment, without a chance to tidy up.
        shutil.copytree(first, copy)
    with Stage(work, data=copy) as aws:
        after_kill = everything(aws)
    with Stage(work, start=START, data=copy) as aws:
        after_stop = everything(aws)
    return Lives(before, after_kill, after_stop)


# What is kept and comes back is in test_data_folder.py too, for a bucket, a queue and schedules.
@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
def test_service_comes_back_as_it_was(service: str, lives: Lives) -> None:
    assert lives.after_kill[service] == lives.before[service]
    assert lives.after_stop[service] == lives.before[service]
