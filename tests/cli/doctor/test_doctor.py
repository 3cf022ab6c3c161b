"""What the doctor finds, and what it says to do."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

import cli.doctor.spotify
from cli.doctor.check import Check, guarded
from cli.doctor.command import examine
from cli.doctor.machine import check_machine
from cli.doctor.spotify import check_spotify
from cli.doctor.stack import check_buckets, check_caller, check_key, check_lake_formation, check_workgroup
from cli.errors import CommandError
from cli.spotify_accounts import TokenRefusedError
from cli.targets import Target
from handlers import layout
from handlers.streams import scopes
from tests.cli.operated_stack import OUTPUTS, OperatedStack
from tests.cli.screen import Screen, target_with
from tests.cli.test_secret_login import LOGIN

STREAMS = ("profile", "recently_played", "saved_tracks")


@pytest.fixture(autouse=True)
def _no_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the commands of this machine, which take a second."""
    monkeypatch.setenv("PATH", str(tmp_path))


class Answers:
    """A client whose operations answer with given values."""

    def __init__(self, **answers: Any) -> None:
        self._answers = answers

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **_: self._answers[operation]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetCallerIdentity")


def raising(error: Exception) -> Callable[[], Any]:
    def check() -> Any:
        yield Check("ok", "Thing", "one")
        raise error

    return check


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (refusal("AccessDenied"), "not checked"),
        (refusal("ExpiredToken"), "fail"),
        (NoCredentialsError(), "fail"),
        (CommandError("Sentence."), "fail"),
    ],
)
def test_check_that_cannot_be_done_is_a_line(error: Exception, level: str) -> None:
    first, second = guarded("Thing", raising(error))
    assert (first.level, second.level, second.subject) == ("ok", level, "Thing")


def test_denied_request_behind_a_sentence_is_not_checked() -> None:
    error = CommandError("Sentence.")
    error.__cause__ = refusal("AccessDeniedException")
    assert list(guarded("Thing", raising(error)))[1] == Check("not checked", "Thing", "Sentence.")


def test_machine_is_checked(tmp_path: Path) -> None:
    python, pulumi, aws = check_machine(needs_pulumi=True)
    assert python == Check("ok", "Python", f"{platform.python_version()} ({sys.executable})")
    assert pulumi.level == "fail"
    assert pulumi.text.startswith("not installed; install it from https://www.pulumi.com/")
    assert aws == Check("ok", "AWS CLI", "not installed; no command needs it.")
    assert [check.level for check in check_machine(needs_pulumi=False)] == ["ok", "ok", "ok"]

    broken = tmp_path / "pulumi"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    assert [check.level for check in check_machine(needs_pulumi=True)] == ["ok", "warn", "ok"]


def test_python_without_pinned_packages_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.doctor.machine._pinned_versions", lambda: (5, 7))
    check = next(check_machine(needs_pulumi=False))
    assert check.level == "warn"
    assert check.text.endswith(": the packages are pinned for 3.5 to 3.6; run `make setup` with one of these.")


def run(find: Callable[[], Target]) -> tuple[Screen, str]:
    screen = Screen()
    with pytest.raises(CommandError) as error:
        examine(find, console=screen.console)
    return screen, str(error.value)


def test_without_a_pipeline_the_machine_is_checked_all_the_same() -> None:
    def find() -> Target:
        raise CommandError("There is no stack.")

    screen, sentence = run(find)
    assert screen.lines[0].startswith("ok          Python")
    assert screen.lines[-1] == "fail        Pipeline        There is no stack."
    assert sentence.endswith("failed: the lines above say what to do.")


def test_expired_credentials_end_the_checks_of_aws() -> None:
    class Sts:
        def get_caller_identity(self) -> None:
            raise refusal("ExpiredToken")

    screen, _ = run(lambda: target_with(OUTPUTS, sts=Sts()))
    assert screen.lines[0] == "Using the stack dev in eu-central-1."
    assert "your credentials have expired, so log in to AWS again, for example with `aws sso login`." in screen.text
    assert screen.lines[-1].startswith("not checked AWS             Nothing else can be checked without credentials")


def test_region_of_the_stack_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    sts = Answers(get_caller_identity={"Arn": "arn:me", "Account": "123456789012"})
    assert list(check_caller(target_with(OUTPUTS, sts=sts))) == [
        Check("ok", "Credentials", "arn:me in the account 123456789012"),
        Check("ok", "Region", "eu-central-1; commands use it whatever AWS_REGION says (us-east-1)"),
    ]


def test_missing_bucket_is_named(operated_stack: OperatedStack) -> None:
    operated_stack.s3.delete_bucket(Bucket="transformed-1")
    assert [(check.level, check.text) for check in check_buckets(operated_stack.target)] == [
        ("ok", "raw-1"),
        ("fail", "transformed-1 does not exist: run `pulumi refresh`, then `pulumi up`."),
        ("ok", "results-1"),
    ]


def fill(stack: OperatedStack, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[Check]:
    """Return the checks of Spotify with a secret and the token that Spotify returns for it."""
    token = changes.pop("token", "tok3n")

    def refresh(*_: object) -> str:
        if isinstance(token, Exception):
            raise token
        return str(token)

    monkeypatch.setattr(cli.doctor.spotify, "refresh_consent", refresh)
    login = {**LOGIN, "scope": " ".join(scopes(STREAMS)), **changes}
    stack.clients["secretsmanager"].create_secret(Name="secret-1", SecretString=json.dumps(login))
    return list(check_spotify(stack.target))


def test_login_that_works_has_only_good_lines(operated_stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [(check.level, check.subject) for check in fill(operated_stack, monkeypatch, token="new")] == [
        ("ok", "Secret"),
        ("ok", "Spotify login"),
        ("ok", "Scopes"),
        ("ok", "Spotify quota"),
    ]
    stored = operated_stack.clients["secretsmanager"].get_secret_value(SecretId="secret-1")["SecretString"]
    assert json.loads(stored)["refresh_token"] == "new"


def test_refused_login_says_to_log_in(operated_stack: OperatedStack, monkeypatch: pytest.MonkeyPatch) -> None:
    checks = fill(operated_stack, monkeypatch, token=TokenRefusedError("invalid_grant: Refresh token expired"))
    assert (
        Check(
            "fail",
            "Spotify login",
            "Spotify refuses it (invalid_grant: Refresh token expired): run `spotify-etl login`.",
        )
        in checks
    )


def test_missing_scope_and_old_login_and_lock_are_named(
    operated_stack: OperatedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    locks = {"groups": {"player": "2026-11-03T06:00:00.000Z", "library": "2026-11-01T06:00:00.000Z"}}
    operated_stack.put("raw_bucket_name", layout.LOCKS_STATE_KEY, locks)
    checks = fill(operated_stack, monkeypatch, scope="user-library-read", authorized_at="2026-06-01T05:00:00Z")
    assert [(check.level, check.text) for check in checks[2:]] == [
        ("warn", "It ends on 2026-12-01: run `spotify-etl login` before that."),
        (
            "fail",
            (
                "user-read-recently-played missing, so recently_played cannot be read: run `spotify-etl login "
                "--streams profile,recently_played,saved_tracks`."
            ),
        ),
        ("warn", "player is locked until 2026-11-03 06:00 UTC: the next run after that continues."),
    ]


def test_empty_secret_says_to_log_in(operated_stack: OperatedStack) -> None:
    operated_stack.clients["secretsmanager"].create_secret(Name="secret-1")
    operated_stack.functions.environment["AUTH_MODE"] = "app"
    first, _ = check_spotify(operated_stack.target)
    assert first == Check("fail", "Secret", "secret-1 is empty: run `spotify-etl login --app`.")


def encryption(key: str | None) -> Answers:
    default = {"SSEAlgorithm": "aws:kms"} | ({"KMSMasterKeyID": key} if key else {})
    rules = [{"ApplyServerSideEncryptionByDefault": default}]
    return Answers(get_bucket_encryption={"ServerSideEncryptionConfiguration": {"Rules": rules}})


def test_disabled_key_and_missing_grant_are_named(operated_stack: OperatedStack) -> None:
    clients: dict[str, Any] = {"s3": encryption("arn:key"), "lambda": operated_stack.functions}
    denied = {"EvaluationResults": [{"EvalActionName": "kms:Decrypt", "EvalDecision": "implicitDeny"}]}
    clients["iam"] = Answers(simulate_principal_policy=denied)

    def checks(state: str) -> list[Check]:
        clients["kms"] = Answers(describe_key={"KeyMetadata": {"KeyState": state}})
        return list(check_key(target_with(OUTPUTS, **clients)))

    (disabled,) = checks("PendingDeletion")
    assert (disabled.level, disabled.text) == (
        "fail",
        "arn:key is PendingDeletion: enable it, or no data can be read.",
    )
    assert [check.level for check in checks("Enabled")] == ["fail"] * 4
    assert checks("Enabled")[0].text.endswith("/extract-1 may not call kms:Decrypt on arn:key: run `pulumi up`.")


def test_stack_without_a_key_needs_no_grant() -> None:
    assert [check.level for check in check_key(target_with(OUTPUTS, s3=encryption(None)))] == ["ok"]


@pytest.mark.parametrize(("principal", "level"), [("IAM_ALLOWED_PRINCIPALS", "ok"), ("arn:someone", "warn")])
def test_lake_formation_defaults_are_checked(principal: str, level: str) -> None:
    permissions = [{"Principal": {"DataLakePrincipalIdentifier": principal}, "Permissions": ["ALL"]}]
    settings = {"CreateDatabaseDefaultPermissions": permissions, "CreateTableDefaultPermissions": permissions}
    client = Answers(get_data_lake_settings={"DataLakeSettings": settings})
    assert [check.level for check in check_lake_formation(target_with({}, lakeformation=client))] == [level]


@pytest.mark.parametrize(
    ("group", "level"),
    [
        ({"State": "ENABLED", "Configuration": {"ResultConfiguration": {"OutputLocation": "s3://results-1/r/"}}}, "ok"),
        ({"State": "DISABLED"}, "fail"),
        ({"State": "ENABLED", "Configuration": {"ResultConfiguration": {"OutputLocation": "s3://other/"}}}, "fail"),
    ],
)
def test_workgroup_is_checked(group: dict[str, Any], level: str) -> None:
    athena = Answers(get_work_group={"WorkGroup": group})
    assert [check.level for check in check_workgroup(target_with(OUTPUTS, athena=athena))] == [level]
