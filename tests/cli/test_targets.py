"""What a command acts on, with a stand-in for Pulumi's command and a local cloud that announces itself."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from rich.console import Console

from cli.errors import CommandError
from cli.targets import Target, aws_errors, find_target
from local.running_cloud import RunningCloud

OUTPUTS = {"athena_workgroup_name": "spotify-etl-dev", "region": "eu-north-1"}
LOCAL = {"athena_workgroup_name": "spotify-etl-local", "region": "eu-central-1"}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


def running(folder: Path, outputs: dict[str, Any], pid: int | None = None) -> RunningCloud:
    """Announce a local cloud."""
    cloud = RunningCloud(
        pid=pid or os.getpid(),
        since="2026-11-23T07:00:00+00:00",
        data=str(folder / "data"),
        url="http://127.0.0.1:4599",
        region="eu-central-1",
        access_key_id="owner",
        secret_access_key="hidden",
        control="",
        control_key="",
        spotify="simulated",
        accounts_url="http://127.0.0.1:4600/",
        outputs=outputs,
    )
    cloud.publish(folder)
    return cloud


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "No"}}, "GetNamedQuery")


def found(folder: Path, stack: str = "", *, local: bool = False) -> Target:
    return find_target(stack, local=local, project=folder, working=folder)


@pytest.mark.usefixtures("keys")
def test_lambda_may_take_as_long_as_a_function_runs(tmp_path: Path, pulumi: Any) -> None:
    pulumi(["dev"], {"dev": OUTPUTS})
    running(tmp_path, LOCAL)
    for target in (found(tmp_path, "dev"), found(tmp_path, local=True)):
        assert target.client("lambda").meta.config.read_timeout > 900
        assert target.client("s3").meta.config.read_timeout == 60


@pytest.mark.usefixtures("keys")
def test_only_stack_is_the_target_with_clients_of_its_region(pulumi: Any, tmp_path: Path) -> None:
    pulumi(["dev"], {"dev": OUTPUTS})
    target = found(tmp_path)
    assert (target.description, target.outputs, target.local) == ("the stack dev in eu-north-1", OUTPUTS, None)
    assert target.client("athena").meta.endpoint_url == "https://athena.eu-north-1.amazonaws.com"


def test_local_cloud_is_the_target_with_clients_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # Pulumi is not installed.
    cloud = running(tmp_path, LOCAL)
    for target in (found(tmp_path), found(tmp_path, local=True)):
        assert (target.description, target.outputs, target.local) == ("the local cloud", LOCAL, cloud)
        assert target.client("athena").meta.endpoint_url == cloud.url


def test_local_cloud_is_the_target_where_no_stack_was_created(pulumi: Any, tmp_path: Path) -> None:
    pulumi([], {})
    running(tmp_path, LOCAL)
    assert found(tmp_path).description == "the local cloud"


@pytest.mark.parametrize(
    ("stacks", "choice"),
    [
        (["dev"], "Both a local cloud and a stack exist: pass --local or --stack dev."),
        (["prod", "dev"], "Both a local cloud and stacks exist: pass --local or --stack dev or --stack prod."),
    ],
)
def test_where_both_are_there_one_is_named(pulumi: Any, tmp_path: Path, stacks: list[str], choice: str) -> None:
    pulumi(stacks, {"dev": OUTPUTS})
    running(tmp_path, LOCAL)
    with pytest.raises(CommandError) as refused:
        found(tmp_path)
    assert str(refused.value) == choice
    assert found(tmp_path, "dev").outputs == OUTPUTS
    assert found(tmp_path, local=True).outputs == LOCAL


@pytest.mark.parametrize("stacks", [["dev", "prod"], []])
def test_without_exactly_one_stack_it_says_what_to_do(pulumi: Any, tmp_path: Path, stacks: list[str]) -> None:
    pulumi(stacks, {})
    sentence = {
        2: "There are several stacks: choose one with --stack: dev, prod.",
        0: "There is no stack and no local cloud: create a stack with `pulumi stack init` and `pulumi up`, or start "
        "a local cloud with `spotify-etl local up`.",
    }[len(stacks)]
    with pytest.raises(CommandError) as refused:
        found(tmp_path)
    assert str(refused.value) == sentence


def test_without_local_cloud_and_pulumi_it_names_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        CommandError,
        match=r"^No local cloud is running, so start one with `spotify-etl local up`, or choose a stack: Stacks need",
    ):
        found(tmp_path)


def test_stack_and_local_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^Pass either --stack or --local: a command acts on one of them\.$"):
        found(tmp_path, "dev", local=True)


def test_local_cloud_that_has_ended_is_none(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    running(tmp_path, LOCAL, ended.pid)
    with pytest.raises(CommandError, match=r"^No local cloud is running: start one with `spotify-etl local up`\.$"):
        found(tmp_path, local=True)


def test_empty_local_cloud_is_no_target(tmp_path: Path) -> None:
    running(tmp_path, {})
    with pytest.raises(CommandError, match=r"^The local cloud is empty: start it without --empty, or deploy into it"):
        found(tmp_path, local=True)


@pytest.mark.usefixtures("keys")
def test_region_that_cannot_be_one_is_one_sentence(pulumi: Any, tmp_path: Path) -> None:
    pulumi(["dev"], {"dev": {**OUTPUTS, "region": "not a region"}})
    with pytest.raises(CommandError, match=r"^Cannot create an AWS client \(.*not a region.*\): check your AWS config"):
        found(tmp_path).client("athena")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (refusal("ExpiredTokenException"), "your credentials have expired, so log in to AWS again"),
        (refusal("UnrecognizedClientException"), "AWS does not know these credentials, so check AWS_PROFILE"),
        (refusal("AccessDeniedException"), "check your credentials and region."),
        (NoCredentialsError(), "log in to AWS, for example with `aws sso login` or `aws configure`."),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:4599/"), "start the local cloud again with `spotify-"),
        (EndpointConnectionError(endpoint_url="https://athena.nowhere-1.amazonaws.com/"), "check your credentials and"),
    ],
    ids=["expired", "unknown", "denied", "none", "local cloud ended", "wrong region"],
)
def test_error_of_aws_is_one_sentence_with_what_to_do(error: Exception, advice: str) -> None:
    with pytest.raises(CommandError) as refused, aws_errors():
        raise error
    assert str(refused.value).startswith(f"AWS refused a request or did not respond ({error}): {advice}")


def test_output_of_a_newer_version_is_one_sentence() -> None:
    target = Target("the stack dev in eu-north-1", OUTPUTS, lambda _: None)
    assert target.output("region") == "eu-north-1"
    with pytest.raises(CommandError, match=r"^An older version deployed this stack: run `pulumi up`, then the command"):
        target.output("log_group_names")


def test_first_line_says_what_a_command_acts_on() -> None:
    console = Console(file=io.StringIO(), width=200)
    Target("the stack dev in eu-north-1", OUTPUTS, lambda _: None).announce(console)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "Using the stack dev in eu-north-1.\n"
