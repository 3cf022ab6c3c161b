"""Each operator's command with the permissions of docs/operator-policy.json alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.every_command import run_every_command, write_inputs
from tests.cli.local_cloud.process import local_commands
from tests.cli.restricted_user import as_stack, restricted_user
from tests.pipeline.program import ROOT


@pytest.mark.slow
def test_operators_policy_is_enough_for_every_command(tmp_path: Path) -> None:
    policy = json.loads((ROOT / "docs" / "operator-policy.json").read_text())
    write_inputs(tmp_path)
    with local_commands(tmp_path / "working") as local:
        local.done("up", "--detach", "--port", str(local.port))
        account = local.client("sts").get_caller_identity()["Account"]
        keys = restricted_user(local.client("iam"), [policy], account=account, region=local.running.region)
        environment = {**as_stack(local.running, tmp_path / "bin"), **keys}
        wrong = run_every_command(tmp_path, ("--stack", "dev"), "dev", environment)
    assert not wrong, "\n\n".join(wrong)
