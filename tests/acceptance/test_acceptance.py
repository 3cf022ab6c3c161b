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
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, NoRegionError
from pulumi import automation

from embedded_aws import EmbeddedAws
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.server.server import AwsServer
from local.cloud import deploy_program
from scripts.operator_policy import acceptance_policies, operator_policies
from tests.acceptance import __main__ as main
from tests.acceptance.account import SETTINGS
from tests.acceptance.probes import Probe, try_role
from tests.acceptance.suite import Difference, _Suite, run_suite
from tests.acceptance.trouble import explain
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
    with EmbeddedAws(tmp_path, start=datetime(2026, 11, 3, 9, tzinfo=UTC), any_python=True) as aws:
        yield EmbeddedAccount(aws)


@pytest.mark.slow
def test_embedded_cloud_is_as_expected(account: EmbeddedAccount) -> None:
    told: list[str] = []
    assert run_suite(account, told.append) == []
    assert account.destroyed
    assert [line.removesuffix(" …") for line in told if not line.startswith("  still waiting, ")] == [
        "Lake Formation",
        "Deploy",
        "Before any crawl",
        "Transform recorded objects",
        "Crawl",
        "Publish",
        "Tables",
        "Rows",
        "Views",
        "Named queries",
        "Compact",
        "Roles",
        "Destroy",
    ]


def denied(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "No."}}, operation)


def pulumi_error(text: str) -> automation.CommandError:
    return automation.CommandError(automation.CommandResult(stdout="", stderr=text, code=255))


OPEN = {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}


class Scripted:
    """An account of which only Lake Formation answers, and in which deploying and destroying do what they are given."""

    def __init__(self, *, deploying: BaseException | None = None, destroying: BaseException | None = None) -> None:
        self.deploying = deploying
        self.destroying = destroying
        self.settings = {f"Create{kind}DefaultPermissions": [OPEN] for kind in ("Database", "Table")}
        self.done: list[str] = []

    def deploy(self) -> dict[str, Any]:
        self.done.append("deploy")
        if self.deploying:
            raise self.deploying
        return {}

    def client(self, service: str, credentials: AwsCredentials | None = None) -> Any:
        assert (service, credentials) == ("lakeformation", None)
        return SimpleNamespace(get_data_lake_settings=lambda: {"DataLakeSettings": self.settings})

    def wait(self) -> None:
        raise AssertionError

    def destroy(self) -> None:
        self.done.append("destroy")
        if self.destroying:
            raise self.destroying


def test_nothing_is_tried_in_a_stack_that_was_not_deployed() -> None:
    told: list[str] = []
    account = Scripted(deploying=denied("CreateBucket"))
    found = run_suite(account, told.append)
    assert found == [Difference("Deploy", explain(denied("CreateBucket")))]
    assert told == ["Lake Formation …", "Deploy …", f"  {found[0].what}", "Destroy …"]
    assert account.done == ["deploy", "destroy"]


def test_nothing_is_deployed_where_lake_formation_keeps_new_tables_closed() -> None:
    account = Scripted()
    account.settings["CreateTableDefaultPermissions"] = []
    [found] = run_suite(account, lambda _: None)
    assert found.step == "Lake Formation"
    assert found.what.startswith("New tables are not open to IAM alone: ")
    assert account.done == []


def test_what_is_interrupted_is_destroyed_all_the_same() -> None:
    account = Scripted(deploying=KeyboardInterrupt())
    assert run_suite(account, lambda _: None) == [Difference("Deploy", "You interrupted it.")]
    assert account.done == ["deploy", "destroy"]


def test_whoever_interrupts_that_too_is_told_how_to_destroy_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    account = Scripted(deploying=KeyboardInterrupt(), destroying=KeyboardInterrupt())
    assert run_main(monkeypatch, account, tmp_path) == 1
    printed = capsys.readouterr().out
    assert "- Deploy: You interrupted it.\n- Destroy: You interrupted it.\n" in printed
    assert re.search(r"pulumi cancel --yes --stack (acceptance-\w{6})\n  pulumi destroy --yes --stack \1\n$", printed)


def run_main(monkeypatch: pytest.MonkeyPatch, account: object, folder: Path, answer: str = "yes") -> int:
    """Run `make test-aws` with an account instead of AWS's, with an answer at its prompt."""

    def ask(_: str) -> str:
        if not answer:
            raise EOFError
        return answer

    identity = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ana"}
    pulumi = folder / "pulumi"
    pulumi.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setattr("boto3.client", lambda *_, **__: SimpleNamespace(get_caller_identity=lambda: identity))
    monkeypatch.setattr(main, "_RealAccount", lambda *_: account)
    monkeypatch.setattr("builtins.input", ask)
    return main.main()


@pytest.mark.parametrize("answer", ["no", ""])
def test_cost_comes_first_and_nothing_happens_without_a_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, answer: str
) -> None:
    account = Scripted()
    assert run_main(monkeypatch, account, tmp_path, answer) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("This costs less than one dollar, of which the crawl is 0.15, ")
    assert "to eu-central-1 in the account 123456789012\nas arn:aws:iam::123456789012:user/ana,\n" in printed.out
    assert printed.err == "Nothing was deployed.\n"
    assert account.done == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NoRegionError(), r"^No region is set: run `export AWS_REGION="),
        (NoCredentialsError(), r"^There are no AWS credentials: run `aws configure`"),
        (
            EndpointConnectionError(endpoint_url="https://sts.eu-central-9.amazonaws.com/"),
            r"^The region does not answer \(.*eu-central-9.*\): set AWS_REGION to a region of AWS that your",
        ),
        (
            ClientError({"Error": {"Code": "InvalidClientTokenId", "Message": "No."}}, "GetCallerIdentity"),
            r"^AWS does not accept the credentials here \(InvalidClientTokenId\): log in again",
        ),
        (denied("CreateBucket"), r"^A permission is refused: .*CreateBucket operation: No\. docs/permissions\.md has"),
        (
            pulumi_error("creating IAM Role: AccessDenied: not\nauthorized"),
            r"^A permission is refused: ….*creating IAM Role: AccessDenied: not authorized.*… docs/permissions\.md has",
        ),
        (
            pulumi_error("FunctionError: Insufficient Lake Formation permission(s): Required Create Table on a_b"),
            r"^Lake Formation decides in this account .* IAM_ALLOWED_PRINCIPALS.*Required Create Table on a_b",
        ),
        (
            pulumi_error("Diagnostics:\n  aws:s3:Bucket (raw):\n    error: the bucket exists\n  error: failed\n"),
            r"^Pulumi failed: the bucket exists$",
        ),
        (TimeoutError("The crawl did not end."), r"^The crawl did not end\.$"),
    ],
)
def test_trouble_is_a_clear_sentence(error: Exception, sentence: str) -> None:
    assert re.search(sentence, explain(error))


def test_a_crawl_is_stopped_before_the_stack_is_destroyed() -> None:
    states = iter(["RUNNING", "STOPPING", "READY"])
    done: list[str] = []
    glue = SimpleNamespace(
        get_crawler=lambda **_: {"Crawler": {"State": next(states)}},
        stop_crawler=lambda **names: done.append(f"stop {names['Name']}"),
        exceptions=SimpleNamespace(CrawlerNotRunningException=LookupError, CrawlerStoppingException=LookupError),
    )
    account = SimpleNamespace(
        client=lambda _: glue, wait=lambda: done.append("wait"), destroy=lambda: done.append("destroy")
    )
    suite = _Suite(account, done.append)
    suite.outputs = {"glue_crawler_name": "crawler-1"}
    assert list(suite.destroy()) == []
    assert done == ["stop crawler-1", "wait", "destroy"]


def test_destroying_waits_for_a_deployment_that_is_still_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = automation.ConcurrentUpdateError(automation.CommandResult(stdout="", stderr="", code=255))
    answers = iter([busy, busy, None])
    done: list[str] = []

    def destroy(**_: object) -> None:
        done.append("destroy")
        if error := next(answers):
            raise error

    account = main._RealAccount.__new__(main._RealAccount)
    monkeypatch.setattr(account, "_stack", SimpleNamespace(destroy=destroy), raising=False)
    monkeypatch.setattr(account, "wait", lambda: done.append("wait"))
    account.destroy()
    assert done == ["destroy", "wait", "destroy", "wait", "destroy"]


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
