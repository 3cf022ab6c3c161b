"""A Pulumi program deploys into the embedded AWS: its configuration, its outputs and its errors."""

from __future__ import annotations

import io
import json
import textwrap
import zipfile
from pathlib import Path

import pytest

from embedded_aws.pulumi_mocks import DeploymentError, deploy
from embedded_aws.server.server import AwsServer
from tests.embedded_aws.stage import Stage
from tests.thoroughness import sampled

PROGRAM = """
import json
import sys
import pulumi
import pulumi_aws as aws
from settings import PREFIX

config = pulumi.Config()
account = aws.get_caller_identity().account_id
region = aws.get_region().region

bucket = aws.s3.Bucket("raw", tags={"stage": pulumi.get_stack()})
queue = aws.sqs.Queue("events", visibility_timeout_seconds=90, sqs_managed_sse_enabled=True)
document = pulumi.Output.json_dumps({
    "Version": "2012-10-17",
    "Statement": [{
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": bucket.arn}},
    }],
})
policy = aws.sqs.QueuePolicy("events", queue_url=queue.url, policy=document)
aws.s3.BucketNotification(
    "raw",
    bucket=bucket.bucket,
    queues=[{"queue_arn": queue.arn, "events": ["s3:ObjectCreated:*"], "filter_prefix": PREFIX}],
    opts=pulumi.ResourceOptions(depends_on=[policy]),
)
role = aws.iam.Role("extract", assume_role_policy=json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}))
function = aws.lambda_.Function(
    "extract",
    runtime=f"python3.{sys.version_info.minor}",
    handler="main.handler",
    role=role.arn,
    code=pulumi.FileArchive("code"),
    timeout=60,
    environment={"variables": {"rawBucket": bucket.bucket}},
)
print("made", "it")
pulumi.log.warn("mind the gap")
for name in ("plain", "declared", "fromStack", "overridden"):
    pulumi.export(name, config.require(name))
pulumi.export("streams", config.require_object("streams"))
pulumi.export("enabled", config.require_bool("enabled"))
pulumi.export("where", f"{account}/{region}/{pulumi.get_stack()}")
pulumi.export("queue_url", queue.url)
pulumi.export("function", {"name": function.name, "arn": function.arn})
pulumi.export("secret", pulumi.Output.secret("revealed"))
"""

PROJECT = """
name: sample
runtime: python
config:
  plain: as it is
  declared: {type: string, default: by default}
  fromStack: {type: string, default: by default}
  overridden: {type: string, default: by default}
  streams: {type: array, items: {type: string}, default: [profile, plays]}
  enabled: {type: boolean, default: true}
"""

STACK = """
config:
  aws:region: eu-central-1
  sample:fromStack: from the stack
  sample:overridden: from the stack
"""


def project(folder: Path, program: str, *, about: str = "name: sample\nruntime: python\n", stack: str = "") -> Path:
    (folder / "Pulumi.yaml").write_text(about)
    (folder / "Pulumi.test.yaml").write_text(stack)
    (folder / "__main__.py").write_text(textwrap.dedent(program))
    return folder


def test_a_program_is_deployed_as_it_stands(
    server: AwsServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "settings.py").write_text('PREFIX = "raw/"\n')
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "main.py").write_text("def handler(event, context): ...\n")
    folder = project(tmp_path, PROGRAM, about=PROJECT, stack=STACK)
    outputs = deploy(server, folder, stack="test", config={"overridden": "by the caller"})

    assert {name: outputs[name] for name in ("plain", "declared", "fromStack", "overridden")} == {
        "plain": "as it is",
        "declared": "by default",
        "fromStack": "from the stack",
        "overridden": "by the caller",
    }
    assert outputs["streams"] == ["profile", "plays"]
    assert outputs["enabled"] is True
    assert outputs["where"] == "123456789012/eu-central-1/test"
    assert outputs["secret"] == "revealed"
    assert caplog.messages == ["mind the gap"]

    name = outputs["function"]["name"]
    assert outputs["function"]["arn"] == f"arn:aws:lambda:eu-central-1:123456789012:function:{name}"
    stem, _, digits = name.rpartition("-")
    assert (stem, len(digits)) == ("extract", 7)
    function = server.client("lambda").get_function(FunctionName=name)["Configuration"]
    assert (function["Timeout"], function["Handler"]) == (60, "main.handler")
    variables = function["Environment"]["Variables"]
    (bucket,) = [found["Name"] for found in server.client("s3").list_buckets()["Buckets"]]
    assert variables == {"rawBucket": bucket}
    tags = server.client("s3").get_bucket_tagging(Bucket=bucket)["TagSet"]
    assert tags == [{"Key": "stage", "Value": "test"}]
    with zipfile.ZipFile(io.BytesIO(server.backend("lambda").get_function(name).code_bytes)) as archive:
        assert archive.namelist() == ["main.py"]
    attributes = server.client("sqs").get_queue_attributes(QueueUrl=outputs["queue_url"], AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "90"
    server.client("s3").put_object(Bucket=bucket, Key="raw/a", Body=b"")
    received = server.client("sqs").receive_message(QueueUrl=outputs["queue_url"], MaxNumberOfMessages=10)
    assert ["TestEvent" in message["Body"] for message in received["Messages"]] == [True, False]


MISSING_SETTING = (
    "Missing required configuration variable 'sample:dailyAt' please set a value using the command `pulumi config set"
    " sample:dailyAt <value>`"
)

QUICK = "what is not supported"
"""An error that the program meets within the mocks, and of which it makes its own sentence."""

FAILURES: dict[str, tuple[str, str]] = {
    "an error of the program is its own sentence": (
        'import pulumi\nraise pulumi.RunError("dailyAt is 25:00: it must be a time such as 06:00.")',
        "dailyAt is 25:00: it must be a time such as 06:00.",
    ),
    "a missing setting": (
        'import pulumi\npulumi.Config().require("dailyAt")',
        MISSING_SETTING,
    ),
    "a mistake in the code is told with its line": (
        "import pulumi\n\nnothing.here",
        "NameError: name 'nothing' is not defined (__main__.py, line 3)",
    ),
    "what is not supported": (
        'import pulumi_aws as aws\naws.sqs.Queue("a", delay_seconds=1)\naws.dynamodb.Table("t", attributes=[])',
        "aws:dynamodb/table:Table t: the type is not supported by the embedded AWS.",
    ),
}


@pytest.mark.parametrize(
    ("program", "sentence"),
    sampled(
        (pytest.param(*case, id=name) for name, case in FAILURES.items()),
        [pytest.param(*FAILURES[QUICK], id=QUICK)],
    ),
)
def test_a_failure_is_one_sentence(server: AwsServer, tmp_path: Path, program: str, sentence: str) -> None:
    with pytest.raises(DeploymentError) as error:
        deploy(server, project(tmp_path, program), stack="test")
    assert str(error.value) == sentence


def configuration_error(folder: Path, stack: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what is said of a stack file; in this process, since it is said before the program runs."""
    from embedded_aws.pulumi_mocks.configuration import StackConfigError, read_configuration  # noqa: PLC0415

    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with pytest.raises(StackConfigError) as error:
        read_configuration(project(folder, "", stack=stack), "test", {})
    return str(error.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("stack", "sentence"),
    [
        (
            "config: {aws:region: us-east-1}",
            "aws:region is us-east-1, but the embedded AWS is in eu-central-1: use the same region.",
        ),
        (
            "config: {aws:defaultTags: {tags: {}}}",
            "The provider setting aws:defaultTags is not supported by the embedded AWS; remove it.",
        ),
        (
            "config: {sample:token: {secure: v1:abc}}",
            "Pulumi.test.yaml: sample:token is encrypted; only the Pulumi CLI can read it.",
        ),
        ("- a list", "Pulumi.test.yaml must contain a mapping."),
    ],
)
def test_a_stack_file_that_cannot_be_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stack: str, sentence: str
) -> None:
    assert configuration_error(tmp_path, stack, monkeypatch) == sentence


INVOKED = """
import json
import sys
import pulumi
import pulumi_aws as aws

role = aws.iam.Role("greet", assume_role_policy=json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}))
function = aws.lambda_.Function(
    "greet",
    runtime=f"python3.{sys.version_info.minor}",
    handler="main.handler",
    role=role.arn,
    code=pulumi.FileArchive("code"),
)
greeting = aws.lambda_.Invocation("greet", function_name=function.name, %s)
pulumi.export("greeting", greeting.result)
"""
GREET = "def handler(event, context): return 'Hello ' + event['name']"


@pytest.mark.slow
def test_a_program_invokes_a_function_and_gets_its_result(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "main.py").write_text(GREET)
    folder = project(tmp_path, INVOKED % 'input=\'{"name": "Ana"}\', triggers={"code": "1"}')

    assert json.loads(deploy(stage.server, folder, stack="test")["greeting"]) == "Hello Ana"
    [step] = stage.steps("invoke")
    assert (step.name.rpartition("-")[0], step.ok) == ("greet", True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("input='{}'", r"the function greet-\w+ failed: KeyError: 'name'\.$"),
        ("input='Ana'", "its input is not JSON: Expecting value"),
        (
            "input='{}', lifecycle_scope='CRUD'",
            "its lifecycle scope is CRUD, and only CREATE_ONLY is supported: nothing is updated or deleted here",
        ),
        ("input='{\"name\": \"Ana\"}', tenant_id='blue'", "the embedded AWS does not support tenantId"),
    ],
    ids=["the function fails", "its input is not JSON", "it wants to be invoked on deletion", "it names a tenant"],
)
def test_an_invocation_that_cannot_be_made_fails_the_deployment(
    stage: Stage, tmp_path: Path, arguments: str, sentence: str
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "main.py").write_text(GREET)
    folder = project(tmp_path, INVOKED % arguments)
    with pytest.raises(DeploymentError, match=f"^aws:lambda/invocation:Invocation greet.*: {sentence}"):
        deploy(stage.server, folder, stack="test")


@pytest.mark.slow
def test_the_projects_own_program_deploys(tmp_path: Path) -> None:
    with Stage(tmp_path, any_python=True) as stage:
        _check_deployment(stage)


def _check_deployment(stage: Stage) -> None:
    server = stage.server
    outputs = stage.deploy(Path(__file__).parents[2], stack="local", environment={"SPOTIFY_ETL_LAYERS": "locks"})
    assert all(outputs.values())
    assert outputs["athena_workgroup_name"] == "spotify-etl-local"
    assert server.client("glue").get_crawler(Name=outputs["glue_crawler_name"])["Crawler"]["State"] == "READY"
    for function in ("extract", "transform", "publish", "compact"):
        server.client("lambda").get_function(FunctionName=outputs[f"{function}_function_name"])
    assert len(server.client("scheduler").list_schedules()["Schedules"]) == 6
    assert server.authorization.denials == []
