"""IAM is enforced over HTTP: what boto3 raises for a role's session, action by action."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.iam.authorization import AccessDeniedError
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.iam.principals import UnknownAccessKeyError
from embedded_aws.server.server import AwsServer

ACCOUNT = "123456789012"
REGION = "eu-central-1"
BUCKET = "arn:aws:s3:::lake-bucket"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:events"

Statement = dict[str, Any]
Call = Callable[[Callable[[str], Any]], Any]


def allow(actions: str | list[str], resources: str | list[str], **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def deny(actions: str | list[str], resources: str | list[str], **more: Any) -> Statement:
    return {"Effect": "Deny", "Action": actions, "Resource": resources, **more}


def policy(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(service: str, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole", **more}
    return policy(statement)


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    """One account with a bucket, queue, secret, table and workgroup; each test brings its own role."""
    server = AwsServer()
    server.start()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="lake-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="lake-bucket", Key="raw/a.json", Body=b"{}")
    server.client("sqs").create_queue(QueueName="events")
    server.client("secretsmanager").create_secret(Name="spotify", SecretString="{}")
    glue = server.client("glue")
    glue.create_database(DatabaseInput={"Name": "music"})
    glue.create_table(DatabaseName="music", TableInput={"Name": "plays"})
    server.client("athena").create_work_group(
        Name="analysts", Configuration={"ResultConfiguration": {"OutputLocation": "s3://lake-bucket/results/"}}
    )
    server.client("logs").create_log_group(logGroupName="/aws/lambda/extract")
    yield server
    server.stop()


@pytest.fixture
def session(aws: AwsServer) -> Iterator[Callable[..., Callable[[str], Any]]]:
    """Make a role with the given statements and return a maker of clients of its session."""
    made: list[str] = []

    def make(*statements: Statement) -> Callable[[str], Any]:
        credentials = role_session(aws, f"role-{len(made)}", *statements)
        made.append(f"role-{len(made)}")
        return lambda service: aws.client(service, credentials)

    yield make
    iam = aws.client("iam")
    for name in made:
        for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=inline)
        iam.delete_role(RoleName=name)


def role_session(aws: AwsServer, name: str, *statements: Statement) -> AwsCredentials:
    iam = aws.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(*statements))
    return aws.assume(role["Arn"], "lambda.amazonaws.com", "session")


def code_of(call: Call, clients: Callable[[str], Any]) -> str:
    """Return "allowed", or the code of the error that boto3 raises."""
    try:
        call(clients)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed"


def put(clients: Callable[[str], Any]) -> Any:
    return clients("s3").put_object(Bucket="lake-bucket", Key="raw/b.json", Body=b"{}")


def get(clients: Callable[[str], Any]) -> Any:
    return clients("s3").get_object(Bucket="lake-bucket", Key="raw/a.json")["Body"].read()


def head(clients: Callable[[str], Any]) -> Any:
    return clients("s3").head_object(Bucket="lake-bucket", Key="raw/a.json")


def listing(clients: Callable[[str], Any]) -> Any:
    return clients("s3").list_objects_v2(Bucket="lake-bucket", Prefix="raw/")


def copy(clients: Callable[[str], Any]) -> Any:
    return clients("s3").copy_object(Bucket="lake-bucket", Key="raw/c.json", CopySource="lake-bucket/raw/a.json")


def multipart(clients: Callable[[str], Any]) -> Any:
    s3 = clients("s3")
    upload = s3.create_multipart_upload(Bucket="lake-bucket", Key="raw/m")["UploadId"]
    part = s3.upload_part(Bucket="lake-bucket", Key="raw/m", UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    return s3.complete_multipart_upload(Bucket="lake-bucket", Key="raw/m", UploadId=upload, MultipartUpload=parts)


def overwrite(clients: Callable[[str], Any]) -> Any:
    etag = clients("s3").put_object(Bucket="lake-bucket", Key="raw/b.json", Body=b"{}")["ETag"]
    return clients("s3").put_object(Bucket="lake-bucket", Key="raw/b.json", Body=b"{}", IfMatch=etag)


def delete_unchanged(clients: Callable[[str], Any]) -> Any:
    etag = clients("s3").put_object(Bucket="lake-bucket", Key="raw/b.json", Body=b"{}")["ETag"]
    return clients("s3").delete_object(Bucket="lake-bucket", Key="raw/b.json", IfMatch=etag)


def create_once(clients: Callable[[str], Any]) -> Any:
    return clients("s3").put_object(Bucket="lake-bucket", Key="raw/once.json", Body=b"{}", IfNoneMatch="*")


def location(clients: Callable[[str], Any]) -> Any:
    return clients("s3").get_bucket_location(Bucket="lake-bucket")


def send(clients: Callable[[str], Any]) -> Any:
    return clients("sqs").send_message(QueueUrl=f"http://queue/{ACCOUNT}/events", MessageBody="{}")


def receive(clients: Callable[[str], Any]) -> Any:
    return clients("sqs").receive_message(QueueUrl=f"http://queue/{ACCOUNT}/events")


def secret(clients: Callable[[str], Any]) -> Any:
    return clients("secretsmanager").get_secret_value(SecretId="spotify")


def table(clients: Callable[[str], Any]) -> Any:
    return clients("glue").get_table(DatabaseName="music", Name="plays")


def query(clients: Callable[[str], Any]) -> Any:
    return clients("athena").start_query_execution(QueryString="SELECT 1", WorkGroup="analysts")


def log(clients: Callable[[str], Any]) -> Any:
    return clients("logs").create_log_stream(logGroupName="/aws/lambda/extract", logStreamName="s")


def metric(clients: Callable[[str], Any]) -> Any:
    return clients("cloudwatch").put_metric_data(Namespace="Music", MetricData=[{"MetricName": "n", "Value": 1}])


def who_am_i(clients: Callable[[str], Any]) -> Any:
    return clients("sts").get_caller_identity()


CATALOG = f"arn:aws:glue:{REGION}:{ACCOUNT}:catalog"
DATABASE = f"arn:aws:glue:{REGION}:{ACCOUNT}:database/music"
TABLE = f"arn:aws:glue:{REGION}:{ACCOUNT}:table/music/plays"
WORKGROUP = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/analysts"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:spotify-??????"
LOG_GROUP = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/extract"

TABLE_OF_DECISIONS: list[tuple[str, Call, list[Statement], str]] = [
    ("nothing allows", put, [], "AccessDenied"),
    ("exact key", put, [allow("s3:PutObject", f"{BUCKET}/raw/b.json")], "allowed"),
    ("another key", put, [allow("s3:PutObject", f"{BUCKET}/raw/a.json")], "AccessDenied"),
    ("another action", put, [allow("s3:GetObject", f"{BUCKET}/*")], "AccessDenied"),
    ("wildcards", put, [allow("s3:Put*", "arn:aws:s3:::lake-*/raw/?.json")], "allowed"),
    ("actions ignore case", put, [allow("S3:putobject", f"{BUCKET}/*")], "allowed"),
    ("explicit deny wins", put, [allow("*", "*"), deny("s3:PutObject", f"{BUCKET}/raw/*")], "AccessDenied"),
    ("a deny elsewhere", put, [allow("*", "*"), deny("s3:PutObject", f"{BUCKET}/state/*")], "allowed"),
    ("NotAction", put, [{"Effect": "Allow", "NotAction": "s3:Delete*", "Resource": "*"}], "allowed"),
    ("NotAction names it", put, [{"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}], "AccessDenied"),
    (
        "NotResource",
        put,
        [allow("s3:*", "*"), {"Effect": "Deny", "Action": "s3:*", "NotResource": f"{BUCKET}/state/*"}],
        "AccessDenied",
    ),
    ("If-None-Match needs only PutObject", create_once, [allow("s3:PutObject", f"{BUCKET}/*")], "allowed"),
    ("If-Match reads too", overwrite, [allow("s3:PutObject", f"{BUCKET}/*")], "AccessDenied"),
    ("If-Match", overwrite, [allow(["s3:PutObject", "s3:GetObject"], f"{BUCKET}/*")], "allowed"),
    (
        "a condition reads too",
        delete_unchanged,
        [allow(["s3:PutObject", "s3:DeleteObject"], f"{BUCKET}/*")],
        "AccessDenied",
    ),
    (
        "a condition",
        delete_unchanged,
        [allow(["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], f"{BUCKET}/*")],
        "allowed",
    ),
    ("read", get, [allow("s3:GetObject", f"{BUCKET}/raw/*")], "allowed"),
    ("HEAD shows only the status", head, [], "403"),
    ("HEAD", head, [allow("s3:GetObject", f"{BUCKET}/raw/*")], "allowed"),
    ("copy reads its source", copy, [allow("s3:PutObject", f"{BUCKET}/*")], "AccessDenied"),
    ("copy", copy, [allow(["s3:PutObject", "s3:GetObject"], f"{BUCKET}/*")], "allowed"),
    ("multipart", multipart, [allow("s3:PutObject", f"{BUCKET}/raw/*")], "allowed"),
    ("multipart elsewhere", multipart, [allow("s3:PutObject", f"{BUCKET}/state/*")], "AccessDenied"),
    ("the bucket's location", location, [allow("s3:GetBucketLocation", BUCKET)], "allowed"),
    ("listing is not asked of keys", listing, [allow("s3:ListBucket", f"{BUCKET}/*")], "AccessDenied"),
    ("listing", listing, [allow("s3:ListBucket", BUCKET)], "allowed"),
    (
        "listing under a prefix",
        listing,
        [allow("s3:ListBucket", BUCKET, Condition={"StringLike": {"s3:prefix": ["raw/*"]}})],
        "allowed",
    ),
    (
        "listing under another prefix",
        listing,
        [allow("s3:ListBucket", BUCKET, Condition={"StringLike": {"s3:prefix": ["state/*"]}})],
        "AccessDenied",
    ),
    ("queue", send, [allow("sqs:SendMessage", QUEUE)], "allowed"),
    ("queue, another action", receive, [allow("sqs:SendMessage", QUEUE)], "AccessDenied"),
    ("secret by name", secret, [allow("secretsmanager:GetSecretValue", SECRET)], "allowed"),
    ("secret", secret, [allow("secretsmanager:DescribeSecret", SECRET)], "AccessDeniedException"),
    ("table without its database", table, [allow("glue:GetTable", [CATALOG, TABLE])], "AccessDeniedException"),
    ("table without the catalog", table, [allow("glue:GetTable", [DATABASE, TABLE])], "AccessDeniedException"),
    ("table", table, [allow("glue:GetTable", [CATALOG, DATABASE, TABLE])], "allowed"),
    ("workgroup", query, [allow("athena:StartQueryExecution", WORKGROUP)], "allowed"),
    (
        "another workgroup",
        query,
        [allow("athena:StartQueryExecution", WORKGROUP.replace("analysts", "primary"))],
        "AccessDeniedException",
    ),
    ("log group", log, [allow("logs:CreateLogStream", LOG_GROUP + ":*")], "allowed"),
    ("a log group without its streams", log, [allow("logs:CreateLogStream", LOG_GROUP)], "AccessDeniedException"),
    ("another log group", log, [allow("logs:CreateLogStream", LOG_GROUP + "2:*")], "AccessDeniedException"),
    ("metrics", metric, [allow("cloudwatch:PutMetricData", "*")], "allowed"),
    ("metrics refused", metric, [], "AccessDeniedException"),
    (
        "metrics of a namespace",
        metric,
        [allow("cloudwatch:PutMetricData", "*", Condition={"StringEquals": {"cloudwatch:namespace": "Music"}})],
        "allowed",
    ),
    ("identity is everyone's", who_am_i, [], "allowed"),
    (
        "the condition holds",
        put,
        [allow("s3:*", "*", Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/role-*"}})],
        "allowed",
    ),
    (
        "the condition does not hold",
        put,
        [allow("s3:*", "*", Condition={"StringEquals": {"aws:PrincipalAccount": "999999999999"}})],
        "AccessDenied",
    ),
    (
        "all conditions must hold",
        put,
        [
            allow(
                "s3:*", "*", Condition={"Bool": {"aws:SecureTransport": "true"}, "StringEquals": {"aws:SourceVpc": "v"}}
            )
        ],
        "AccessDenied",
    ),
    ("IfExists", put, [allow("s3:*", "*", Condition={"StringEqualsIfExists": {"aws:SourceVpc": "v"}})], "allowed"),
    ("absent and negated", put, [allow("s3:*", "*", Condition={"StringNotEquals": {"aws:SourceVpc": "v"}})], "allowed"),
    (
        "TLS by number",
        put,
        [allow("s3:*", "*"), deny("s3:*", "*", Condition={"NumericLessThan": {"s3:TlsVersion": "1.2"}})],
        "allowed",
    ),
]


@pytest.mark.parametrize(
    ("call", "statements", "code"),
    [pytest.param(*row[1:], id=f"{row[1].__name__}: {row[0]}") for row in TABLE_OF_DECISIONS],
)
def test_decision(
    session: Callable[..., Callable[[str], Any]], call: Call, statements: list[Statement], code: str, aws: AwsServer
) -> None:
    try:
        assert code_of(call, session(*statements)) == code
    finally:
        aws.client("s3").delete_object(Bucket="lake-bucket", Key="raw/once.json")


def test_the_message_is_that_of_aws(session: Callable[..., Callable[[str], Any]], aws: AwsServer) -> None:
    with pytest.raises(ClientError) as error:
        put(session())
    message = (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/role-0/session is not authorized to perform: s3:PutObject on"
        f" resource: {BUCKET}/raw/b.json because no identity-based policy allows the s3:PutObject action"
    )
    assert error.value.response["Error"]["Message"] == message
    denial = aws.authorization.denials[-1]
    assert (denial.action, denial.resource, denial.message) == ("s3:PutObject", f"{BUCKET}/raw/b.json", message)


def test_an_explicit_deny_is_called_so(session: Callable[..., Callable[[str], Any]]) -> None:
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        table(session(allow("*", "*"), deny("glue:GetTable", "*")))


def test_a_missing_key_is_403_without_listing_and_404_with_it(session: Callable[..., Callable[[str], Any]]) -> None:
    read = allow("s3:GetObject", f"{BUCKET}/*")
    under_prefix = allow("s3:ListBucket", BUCKET, Condition={"StringLike": {"s3:prefix": ["raw/*"]}})

    def missing(clients: Callable[[str], Any]) -> Any:
        return clients("s3").get_object(Bucket="lake-bucket", Key="raw/missing.json")

    assert code_of(missing, session(read)) == "AccessDenied"
    assert code_of(missing, session(read, under_prefix)) == "AccessDenied"
    assert code_of(missing, session(read, allow("s3:ListBucket", BUCKET))) == "NoSuchKey"
    head_missing = session(read)
    with pytest.raises(ClientError, match="403"):
        head_missing("s3").head_object(Bucket="lake-bucket", Key="raw/missing.json")


def test_a_deleted_key_of_a_versioned_bucket_is_missing(
    session: Callable[..., Callable[[str], Any]], aws: AwsServer
) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="versioned-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="versioned-bucket", VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket="versioned-bucket", Key="a", Body=b"old")["VersionId"]
    s3.delete_object(Bucket="versioned-bucket", Key="a")
    reader = session(allow("s3:GetObject", "arn:aws:s3:::versioned-bucket/*"))("s3")
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.get_object(Bucket="versioned-bucket", Key="a")
    with pytest.raises(ClientError, match="s3:GetObjectVersion action"):
        reader.get_object(Bucket="versioned-bucket", Key="a", VersionId=version)
    old = session(allow("s3:GetObjectVersion", "arn:aws:s3:::versioned-bucket/*"))("s3")
    assert old.get_object(Bucket="versioned-bucket", Key="a", VersionId=version)["Body"].read() == b"old"


def test_a_missing_bucket_is_missing_for_everyone(session: Callable[..., Callable[[str], Any]]) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        session()("s3").get_object(Bucket="no-such-bucket", Key="a")


def test_deleting_many_refuses_key_by_key(session: Callable[..., Callable[[str], Any]], aws: AwsServer) -> None:
    for key in ("tables/1", "keep/1"):
        aws.client("s3").put_object(Bucket="lake-bucket", Key=key, Body=b"")
    s3 = session(allow("s3:DeleteObject", f"{BUCKET}/tables/*"))("s3")
    answer = s3.delete_objects(Bucket="lake-bucket", Delete={"Objects": [{"Key": "tables/1"}, {"Key": "keep/1"}]})
    assert [deleted["Key"] for deleted in answer["Deleted"]] == ["tables/1"]
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [("keep/1", "AccessDenied")]


def test_an_unsupported_operation_is_denied_with_its_name(session: Callable[..., Callable[[str], Any]]) -> None:
    everything = session(allow("*", "*"))
    with pytest.raises(ClientError, match=r"the operation glue CreateJob is not supported") as error:
        everything("glue").create_job(Name="j", Role="r", Command={})
    assert error.value.response["Error"]["Code"] == "AccessDeniedException"
    with pytest.raises(ClientError, match=r"S3 GetBucketWebsite is not supported"):
        everything("s3").get_bucket_website(Bucket="lake-bucket")
    with pytest.raises(ClientError, match=r"lambda DeleteFunction is not supported"):
        everything("lambda").delete_function(FunctionName="f")


@pytest.mark.parametrize(
    ("condition", "unknown"),
    [
        ({"StringEquals": {"aws:NoSuchKey": "x"}}, "The condition key aws:nosuchkey is not supported"),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "The condition operator IpAddress is not supported"),
        ({"StringLike": {"aws:PrincipalArn": "${aws:username}"}}, r"variable \$\{aws:username\} has no value"),
    ],
)
def test_a_condition_that_is_not_modelled_refuses_loudly(
    session: Callable[..., Callable[[str], Any]], condition: dict[str, Any], unknown: str
) -> None:
    with pytest.raises(ClientError, match=unknown):
        put(session(allow("s3:*", "*", Condition=condition)))


def test_an_unknown_access_key_is_nobody(aws: AwsServer) -> None:
    stranger = AwsCredentials("AKIAEXAMPLE000000000", "secret", None)
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        aws.client("s3", stranger).list_buckets()
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        aws.client("glue", stranger).get_databases()
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        aws.client("iam", stranger).list_roles()
    with pytest.raises(UnknownAccessKeyError):
        aws.authorization.check("AKIAEXAMPLE000000000", "s3:GetObject", BUCKET)


def test_an_anonymous_caller_has_no_rights_and_no_way_to_moto(aws: AwsServer) -> None:
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"))
    for method, path in (("GET", "/lake-bucket/raw/a.json"), ("POST", "/moto-api/reset"), ("GET", "/")):
        connection.request(method, path)
        answer = connection.getresponse()
        assert (answer.status, b"<Code>AccessDenied</Code>" in answer.read()) == (403, True)
    connection.close()
    assert aws.client("s3").head_object(Bucket="lake-bucket", Key="raw/a.json")["ContentLength"] == 2


def test_a_presigned_address_is_its_signers_request(
    aws: AwsServer, session: Callable[..., Callable[[str], Any]]
) -> None:
    connection = http.client.HTTPConnection(aws.url.removeprefix("http://"))
    for statements, status in (([allow("s3:GetObject", f"{BUCKET}/raw/*")], 200), ([], 403)):
        parameters = {"Bucket": "lake-bucket", "Key": "raw/a.json"}
        address = session(*statements)("s3").generate_presigned_url("get_object", Params=parameters)
        connection.request("GET", address.removeprefix(aws.url))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == status
    connection.close()


def test_attached_policies_boundaries_and_users_count(aws: AwsServer) -> None:
    iam = aws.client("iam")
    attached = iam.create_policy(PolicyName="read", PolicyDocument=policy(allow("s3:GetObject", "*")))["Policy"]["Arn"]
    boundary = iam.create_policy(PolicyName="lid", PolicyDocument=policy(allow("sqs:*", "*")))["Policy"]["Arn"]
    iam.create_user(UserName="anna")
    iam.attach_user_policy(UserName="anna", PolicyArn=attached)
    own_prefix = "arn:aws:s3:::lake-bucket/home/${aws:username}/*"
    iam.put_user_policy(UserName="anna", PolicyName="home", PolicyDocument=policy(allow("s3:PutObject", own_prefix)))
    made = iam.create_access_key(UserName="anna")["AccessKey"]
    anna = AwsCredentials(made["AccessKeyId"], made["SecretAccessKey"], None)
    assert get(lambda service: aws.client(service, anna)) == b"{}"
    aws.client("s3", anna).put_object(Bucket="lake-bucket", Key="home/anna/x", Body=b"")
    with pytest.raises(ClientError, match=f"User: arn:aws:iam::{ACCOUNT}:user/anna is not authorized"):
        aws.client("s3", anna).put_object(Bucket="lake-bucket", Key="home/bert/x", Body=b"")

    role = iam.create_role(
        RoleName="bounded", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"), PermissionsBoundary=boundary
    )["Role"]["Arn"]
    iam.attach_role_policy(RoleName="bounded", PolicyArn=attached)
    bounded = aws.assume(role, "lambda.amazonaws.com", "s")
    with pytest.raises(ClientError, match="no permissions boundary or session policy allows the s3:GetObject"):
        get(lambda service: aws.client(service, bounded))


def test_a_role_can_be_taken_on_only_by_those_it_trusts(aws: AwsServer) -> None:
    iam = aws.client("iam")
    condition = {"Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/etl/*"}}}
    arn = iam.create_role(RoleName="scheduled", AssumeRolePolicyDocument=trust("scheduler.amazonaws.com", **condition))[
        "Role"
    ]["Arn"]
    source = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/etl/daily"
    credentials = aws.assume(arn, "scheduler.amazonaws.com", "daily", {"aws:SourceArn": source})
    identity = aws.client("sts", credentials).get_caller_identity()["Arn"]
    assert identity == f"arn:aws:sts::{ACCOUNT}:assumed-role/scheduled/daily"
    refused = "because no role trust policy allows the sts:AssumeRole action"
    with pytest.raises(AccessDeniedError, match=refused):
        aws.assume(arn, "scheduler.amazonaws.com", "daily")
    with pytest.raises(AccessDeniedError, match=refused):
        aws.assume(arn, "lambda.amazonaws.com", "daily", {"aws:SourceArn": source})
    with pytest.raises(AccessDeniedError, match=refused):
        aws.assume(arn + "x", "scheduler.amazonaws.com", "daily", {"aws:SourceArn": source})


def test_a_session_assumes_another_role_only_if_both_sides_agree(
    aws: AwsServer, session: Callable[..., Callable[[str], Any]]
) -> None:
    trusting = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    arn = aws.client("iam").create_role(RoleName="target", AssumeRolePolicyDocument=policy(trusting))["Role"]["Arn"]
    other = aws.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trust("lambda.amazonaws.com"))[
        "Role"
    ]["Arn"]
    sts = session(allow("sts:AssumeRole", "*"))("sts")
    assert sts.assume_role(RoleArn=arn, RoleSessionName="session")["AssumedRoleUser"]["Arn"].endswith(
        "role/target/session"
    )
    with pytest.raises(ClientError, match="no role trust policy allows"):
        sts.assume_role(RoleArn=other, RoleSessionName="session")
    with pytest.raises(ClientError, match="no identity-based policy allows"):
        session()("sts").assume_role(RoleArn=arn, RoleSessionName="session")


def test_the_check_in_process_is_the_same(aws: AwsServer) -> None:
    credentials = role_session(
        aws, "crawler-role", allow("s3:ListBucket", BUCKET, Condition={"StringEquals": {"s3:prefix": "tables/"}})
    )
    key = credentials.access_key_id
    aws.authorization.check(key, "s3:ListBucket", BUCKET, {"s3:prefix": "tables/"})
    with pytest.raises(AccessDeniedError, match="because no identity-based policy allows the s3:ListBucket action"):
        aws.authorization.check(key, "s3:ListBucket", BUCKET)
    aws.authorization.check(aws.owner.access_key_id, "anything:AtAll", "*")
