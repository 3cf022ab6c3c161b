"""The acceptance suite in the embedded cloud, and what it says of trouble."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError
from pulumi import automation

from embedded_aws import EmbeddedAws
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.server.server import AwsServer
from local.cloud import deploy_program
from scripts.operator_policy import acceptance_policies, operator_policies
from tests.acceptance.account import SETTINGS
from tests.acceptance.probes import Probe, try_role
from tests.acceptance.suite import Difference, explain, run_suite
from tests.cli.restricted_user import restricted_user
from tests.pipeline.program import ROOT


class EmbeddedAccount:
    """The embedded cloud as an account; it ends as a whole.

    The account's owner deploys. Everything else is done by a user who has no more permissions than docs/ says that the
    suite needs.
    """

    def __init__(self, aws: EmbeddedAws) -> None:
        self.aws = aws
        self.destroyed = False
        owner = aws.server.client("sts").get_caller_identity()
        keys = restricted_user(
            aws.server.client("iam"),
            [*operator_policies(), *acceptance_policies()],
            account=owner["Account"],
            region=aws.server.region,
        )
        self._user = AwsCredentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"], None)

    def deploy(self) -> dict[str, Any]:
        return deploy_program(self.aws, ROOT, SETTINGS, None)

    def client(self, service: str, credentials: AwsCredentials | None = None) -> Any:
        return self.aws.server.client(service, credentials or self._user)

    def wait(self) -> None:
        self.aws.run_until(self.aws.now + timedelta(seconds=20))

    def destroy(self) -> None:
        self.destroyed = True


@pytest.fixture(name="account")
def fixture_account(tmp_path: Path) -> Iterator[EmbeddedAccount]:
    with EmbeddedAws(tmp_path, start=datetime(2026, 11, 3, 9, tzinfo=UTC)) as aws:
        yield EmbeddedAccount(aws)


@pytest.mark.slow
def test_embedded_cloud_is_as_expected(account: EmbeddedAccount) -> None:
    told: list[str] = []
    assert run_suite(account, told.append) == []
    assert account.destroyed
    assert [line.removesuffix(" …") for line in told] == [
        "Deploy",
        "Lake Formation",
        "Before any crawl",
        "Transform recorded objects",
        "Crawl",
        "Publish",
        "Tables",
        "Rows",
        "Views",
        "Named queries",
        "Roles",
        "Destroy",
    ]


def denied(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "No."}}, operation)


class Refusing:
    """An account in which nothing can be deployed."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def deploy(self) -> dict[str, Any]:
        raise self.error

    def client(self, service: str, credentials: AwsCredentials | None = None) -> Any:
        raise AssertionError(service, credentials)

    def wait(self) -> None:
        raise AssertionError

    def destroy(self) -> None:
        pass


def test_nothing_is_tried_in_a_stack_that_was_not_deployed() -> None:
    told: list[str] = []
    found = run_suite(Refusing(denied("CreateBucket")), told.append)
    assert found == [Difference("Deploy", explain(denied("CreateBucket")))]
    assert told == ["Deploy …", f"  {found[0].what}", "Destroy …"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NoRegionError(), r"^No region is set: run `export AWS_REGION="),
        (NoCredentialsError(), r"^There are no AWS credentials: run `aws configure`"),
        (denied("CreateBucket"), r"^A permission is refused: .*CreateBucket operation: No\. docs/permissions\.md has"),
        (
            automation.CommandError(
                automation.CommandResult(stdout="", stderr="creating IAM Role: AccessDenied: not\nauthorized", code=255)
            ),
            r"^A permission is refused: ….*creating IAM Role: AccessDenied: not authorized.*… docs/permissions\.md has",
        ),
        (TimeoutError("The crawl did not end."), r"^The crawl did not end\.$"),
    ],
)
def test_trouble_is_a_clear_sentence(error: Exception, sentence: str) -> None:
    assert re.search(sentence, explain(error))


@pytest.mark.slow
def test_roles_that_may_too_much_or_too_little_are_noticed() -> None:
    aws = AwsServer()
    aws.start()
    try:
        aws.client("s3").create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        waited: list[None] = []
        account = SimpleNamespace(client=aws.client, wait=lambda: waited.append(None))
        probe = Probe(
            "reader",
            lambda client: client("s3").list_objects_v2(Bucket="lake"),
            {"write": lambda client: client("s3").put_object(Bucket="lake", Key="a", Body=b"")},
        )

        def differences(*actions: str) -> list[str]:
            statement = {"Effect": "Allow", "Action": actions, "Resource": ["arn:aws:s3:::lake", "arn:aws:s3:::lake/*"]}
            return list(try_role(account, probe, [json.dumps({"Version": "2012-10-17", "Statement": [statement]})]))

        assert differences("s3:ListBucket") == []
        assert differences("s3:ListBucket", "s3:PutObject") == ["reader may write."]
        assert not waited
        assert differences("s3:GetObject") == ["reader is denied what it needs."]
        assert len(waited) == 30
        assert aws.client("iam").list_roles()["Roles"] == []
    finally:
        aws.stop()
