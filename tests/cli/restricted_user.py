"""A user of a local cloud who has some policies and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from local.running_cloud import RunningCloud
from scripts.policy_documents import ACCOUNT, REGION

_PULUMI = """\
#!/bin/sh
cat "{outputs}"
"""


def restricted_user(iam: Any, policies: Iterable[Mapping[str, Any]], *, account: str, region: str) -> dict[str, str]:
    """Create a user with policies of docs/, whose placeholders are replaced, and return the variables of its keys."""
    iam.create_user(UserName="restricted")
    for number, policy in enumerate(policies):
        document = json.dumps(policy).replace(ACCOUNT, account).replace(REGION, region)
        iam.put_user_policy(UserName="restricted", PolicyName=str(number), PolicyDocument=document)
    key = iam.create_access_key(UserName="restricted")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def as_stack(running: RunningCloud, folder: Path) -> dict[str, str]:
    """Return variables with which a local cloud is the stack that every `--stack` names.

    Args:
        running: the cloud.
        folder: for a command `pulumi` that knows the outputs of this stack alone.
    """
    folder.mkdir()
    outputs, pulumi = folder / "outputs.json", folder / "pulumi"
    outputs.write_text(json.dumps(dict(running.outputs)))
    pulumi.write_text(_PULUMI.format(outputs=outputs))
    pulumi.chmod(0o755)
    return {"AWS_ENDPOINT_URL": running.url, "PATH": f"{folder}:{os.environ['PATH']}"}
