"""Policies of resources: bucket, queue, function, secret, key and topic, for callers and for services."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.iam.authorization import AccessDeniedError
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.server.server import AwsServer
from embedded_aws.services.lambda_.runtimes import OWN_RUNTIME

ACCOUNT = "123456789012"
REGION = "eu-central-1"
BUCKET = "arn:aws:s3:::raw-bucket"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"

ONLY_TLS = [
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, f"{BUCKET}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [BUCKET, f"{BUCKET}/*"],
        "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
    },
]


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def bucket(server: AwsServer, *statements: dict[str, Any]) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="raw-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="raw-bucket", Key="raw/a.json", Body=b"{}")
    if statements:
        s3.put_bucket_policy(Bucket="raw-bucket", Policy=policy(*statements))


def queue(server: AwsServer, *statements: dict[str, Any]) -> str:
    attributes = {"Policy": policy(*statements)} if statements else {}
    return str(server.client("sqs").create_queue(QueueName="events", Attributes=attributes)["QueueUrl"])


def reader(server: AwsServer, *statements: dict[str, Any], service: str = "lambda.amazonaws.com") -> AwsCredentials:
    iam = server.client("iam")
    trust = policy({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)
    if statements:
        iam.put_role_policy(RoleName="reader", PolicyName="inline", PolicyDocument=policy(*statements))
    return server.assume(ROLE, service, "session")


def from_s3(**condition: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": condition
        or {"ArnEquals": {"aws:SourceArn": BUCKET}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
    }


def notify_queue(server: AwsServer) -> None:
    server.client("s3").put_bucket_notification_configuration(
        Bucket="raw-bucket",
        NotificationConfiguration={
            "QueueConfigurations": [
                {
                    "QueueArn": QUEUE,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}},
                }
            ]
        },
    )


def messages(server: AwsServer, url: str) -> list[dict[str, Any]]:
    received = server.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in received.get("Messages", [])]


def test_a_tls_only_bucket_locks_nobody_out(server: AwsServer) -> None:
    bucket(server, *ONLY_TLS)
    session = reader(server, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"})
    assert server.client("s3").get_object(Bucket="raw-bucket", Key="raw/a.json")["Body"].read() == b"{}"
    assert server.client("s3", session).get_object(Bucket="raw-bucket", Key="raw/a.json")["Body"].read() == b"{}"


def test_a_bucket_policy_allows_a_role_alone_and_denies_over_it(server: AwsServer) -> None:
    bucket(
        server,
        {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "s3:GetObject", "Resource": f"{BUCKET}/*"},
        {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "s3:GetObject", "Resource": f"{BUCKET}/state/*"},
    )
    s3 = server.client("s3", reader(server))
    assert s3.get_object(Bucket="raw-bucket", Key="raw/a.json")["Body"].read() == b"{}"
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        s3.get_object(Bucket="raw-bucket", Key="state/a.json")


def test_a_bucket_policy_for_the_account_leaves_the_decision_to_the_role(server: AwsServer) -> None:
    root = f"arn:aws:iam::{ACCOUNT}:root"
    bucket(server, {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "s3:*", "Resource": f"{BUCKET}/*"})
    with pytest.raises(ClientError, match="no identity-based policy allows"):
        server.client("s3", reader(server)).get_object(Bucket="raw-bucket", Key="raw/a.json")


def test_s3_delivers_to_a_queue_whose_policy_lets_it(server: AwsServer) -> None:
    bucket(server)
    url = queue(server, from_s3())
    notify_queue(server)
    server.client("s3").put_object(Bucket="raw-bucket", Key="raw/b.json", Body=b"{}")
    server.client("s3").put_object(Bucket="raw-bucket", Key="state/b.json", Body=b"{}")
    test_event, created = messages(server, url)
    assert test_event["Event"] == "s3:TestEvent"
    assert created["Records"][0]["s3"]["object"]["key"] == "raw/b.json"
    assert server.authorization.denials == []


def test_a_queue_without_a_policy_cannot_be_a_destination(server: AwsServer) -> None:
    bucket(server)
    queue(server)
    with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
        notify_queue(server)
    assert "Queue" not in str(server.client("s3").get_bucket_notification_configuration(Bucket="raw-bucket"))


@pytest.mark.parametrize(
    "condition",
    [
        {"ArnEquals": {"aws:SourceArn": "arn:aws:s3:::other-bucket"}},
        {"StringEquals": {"aws:SourceAccount": "999999999999"}},
    ],
    ids=["another bucket", "another account"],
)
def test_a_delivery_that_the_queue_refuses_is_recorded(server: AwsServer, condition: dict[str, Any]) -> None:
    bucket(server)
    url = queue(server, from_s3())
    notify_queue(server)
    assert len(messages(server, url)) == 1  # the test event
    refusing = policy(from_s3(**condition))
    server.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": refusing})
    server.client("s3").put_object(Bucket="raw-bucket", Key="raw/b.json", Body=b"{}")
    assert messages(server, url) == []
    (denial,) = server.authorization.denials
    assert (denial.principal, denial.action, denial.resource) == ("s3.amazonaws.com", "sqs:SendMessage", QUEUE)
    assert denial.message == (
        f"s3.amazonaws.com is not authorized to perform: sqs:SendMessage on resource: {QUEUE} because no"
        " resource-based policy allows the sqs:SendMessage action"
    )


def test_a_rule_may_invoke_only_with_its_permission(server: AwsServer) -> None:
    reader(server)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("main.py", "")
    functions = server.client("lambda")
    function = functions.create_function(
        FunctionName="publish",
        Runtime=OWN_RUNTIME,
        Role=ROLE,
        Handler="main.handler",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/crawled"
    invoke = ("events.amazonaws.com", "lambda:InvokeFunction", function)
    with pytest.raises(AccessDeniedError, match="no resource-based policy allows the lambda:InvokeFunction action"):
        server.authorization.check_service(*invoke, {"aws:SourceArn": rule})
    functions.add_permission(
        FunctionName="publish",
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    server.authorization.check_service(*invoke, {"aws:SourceArn": rule})
    with pytest.raises(AccessDeniedError):
        server.authorization.check_service(*invoke, {"aws:SourceArn": rule + "2"})
    with pytest.raises(AccessDeniedError):
        server.authorization.check_service("s3.amazonaws.com", *invoke[1:], {"aws:SourceArn": rule})


def test_invoking_needs_the_functions_arn(server: AwsServer) -> None:
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:extract"
    session = reader(server, {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn})
    functions = server.client("lambda", session)
    with pytest.raises(ClientError, match="Function not found"):
        functions.invoke(FunctionName="extract")
    with pytest.raises(ClientError, match=r"lambda:InvokeFunction on resource: \S+:function:other because") as error:
        functions.invoke(FunctionName="other")
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"


@pytest.mark.slow
def test_a_secret_refuses_by_its_own_policy(server: AwsServer) -> None:
    secrets = server.client("secretsmanager")
    arn = secrets.create_secret(Name="spotify", SecretString="{}")["ARN"]
    session = reader(server, {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": arn})
    assert server.client("secretsmanager", session).get_secret_value(SecretId=arn)["SecretString"] == "{}"
    refuse = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    secrets.put_resource_policy(SecretId=arn, ResourcePolicy=policy(refuse))
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        server.client("secretsmanager", session).get_secret_value(SecretId="spotify")


def test_a_secret_with_a_customers_key_asks_for_the_key_too(server: AwsServer) -> None:
    key = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    arn = server.client("secretsmanager").create_secret(Name="spotify", SecretString="{}", KmsKeyId=key)["ARN"]
    session = reader(server, {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": arn})
    with pytest.raises(ClientError, match=f"kms:Decrypt on resource: {key}"):
        server.client("secretsmanager", session).get_secret_value(SecretId=arn)
    with pytest.raises(ClientError, match=f"kms:GenerateDataKey on resource: {key}"):
        server.client("secretsmanager", session).put_secret_value(SecretId=arn, SecretString="{}")
    use = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    server.client("iam").put_role_policy(RoleName="reader", PolicyName="key", PolicyDocument=policy(use))
    assert server.client("secretsmanager", session).get_secret_value(SecretId=arn)["SecretString"] == "{}"


def test_a_bucket_with_a_customers_key_asks_for_the_key_too(server: AwsServer) -> None:
    key = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    bucket(server)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    server.client("s3").put_bucket_encryption(Bucket="raw-bucket", ServerSideEncryptionConfiguration={"Rules": [rule]})
    objects = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{BUCKET}/*"}
    s3 = server.client("s3", reader(server, objects))
    with pytest.raises(ClientError, match=f"kms:GenerateDataKey on resource: {key}"):
        s3.put_object(Bucket="raw-bucket", Key="raw/b", Body=b"")
    server.client("s3").put_object(Bucket="raw-bucket", Key="raw/b", Body=b"")
    with pytest.raises(ClientError, match=f"kms:Decrypt on resource: {key}"):
        s3.get_object(Bucket="raw-bucket", Key="raw/b")
    assert s3.get_object(Bucket="raw-bucket", Key="raw/a.json")["Body"].read() == b"{}"
    use = {
        "Effect": "Allow",
        "Action": ["kms:GenerateDataKey", "kms:Decrypt"],
        "Resource": key,
        "Condition": {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}},
    }
    server.client("iam").put_role_policy(RoleName="reader", PolicyName="key", PolicyDocument=policy(use))
    s3.put_object(Bucket="raw-bucket", Key="raw/b", Body=b"new")
    assert s3.get_object(Bucket="raw-bucket", Key="raw/b")["Body"].read() == b"new"


def test_the_topics_policy_decides_for_services(server: AwsServer) -> None:
    sns = server.client("sns")
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    alarms = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy(alarms))
    server.authorization.check_service("cloudwatch.amazonaws.com", "sns:Publish", topic)
    with pytest.raises(AccessDeniedError, match=r"budgets.amazonaws.com is not authorized to perform: sns:Publish"):
        server.authorization.check_service("budgets.amazonaws.com", "sns:Publish", topic)
