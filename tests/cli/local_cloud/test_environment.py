from __future__ import annotations

import io
import os
import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from cli.errors import CommandError
from cli.local_cloud.environment import export_lines, profile_lines, show_environment
from local.control import Command
from local.running_cloud import RunningCloud

Pretend = Callable[[Mapping[str, Command]], RunningCloud]


def test_a_shell_evaluates_the_lines(pretend: Pretend) -> None:
    running = pretend({})
    script = "\n".join([*export_lines(running), "env"])
    told = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"AWS_PROFILE": "mine", "AWS_SESSION_TOKEN": "old"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(line.split("=", 1) for line in told.stdout.splitlines() if line.startswith("AWS_"))
    assert found == {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4599",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "a/secret+'key",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }


@pytest.mark.parametrize("name", ["local", "default"])
def test_boto3_understands_the_profile(
    name: str, pretend: Pretend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, _, credentials = "\n".join(profile_lines(pretend({}), name)).partition("# ~/.aws/credentials")
    for variable, content in (("AWS_CONFIG_FILE", config), ("AWS_SHARED_CREDENTIALS_FILE", credentials)):
        file = tmp_path / variable
        file.write_text(content)
        monkeypatch.setenv(variable, str(file))
    for variable in [one for one in os.environ if one.startswith(("AWS_ACCESS", "AWS_SECRET", "AWS_SESSION"))]:
        monkeypatch.delenv(variable)
    session = boto3.Session(profile_name=name)
    keys = session.get_credentials()
    assert keys is not None
    assert (keys.access_key, keys.secret_key) == ("AKIAEXAMPLE", "a/secret+'key")
    client = session.client("sqs", config=Config())
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://127.0.0.1:4599", "eu-central-1")


def test_both_are_printed(pretend: Pretend) -> None:
    running, plain, profile = pretend({}), io.StringIO(), io.StringIO()
    show_environment(plain, profile="")
    assert plain.getvalue().splitlines() == export_lines(running)
    assert "export AWS_SECRET_ACCESS_KEY=" + shlex.quote(running.secret_access_key) in export_lines(running)
    show_environment(profile, profile="mine")
    assert profile.getvalue().splitlines() == profile_lines(running, "mine")


def test_a_name_that_would_break_the_file_is_refused() -> None:
    with pytest.raises(CommandError, match="The name of a profile has letters, digits"):
        show_environment(io.StringIO(), profile="a]\nregion=x")


def test_without_a_cloud_there_is_nothing_to_print() -> None:
    with pytest.raises(CommandError, match="No local cloud is running: start one with `spotify-etl local up`"):
        show_environment(io.StringIO(), profile="")
