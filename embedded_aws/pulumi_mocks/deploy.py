"""Start a Pulumi program in a process of its own and hand back its outputs."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The new process imports this package too, and shall not wait for moto.
    from embedded_aws.server.server import AwsServer

LOG = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
"""Where this package is found by the new process, whatever the project is."""


class DeploymentError(Exception):
    """A program that could not be deployed; the message is one sentence."""


def deploy(
    server: AwsServer,
    project: Path,
    *,
    stack: str,
    config: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a project's program; each resource it asks for is created in the server.

    Args:
        server: where to; it has to run.
        project: folder of `__main__.py` and `Pulumi.yaml`.
        stack: whose `Pulumi.<stack>.yaml` configures the program; the file may be absent.
        config: settings that override the files', by key; one without a namespace is the project's own.
        environment: variables for the program, beside those that every program gets.

    Returns:
        The stack's outputs.

    Raises:
        DeploymentError: the program ended with an error, or asks for something that is not modelled here.
    """
    task = {"project": str(project.resolve()), "stack": stack, "config": dict(config or {})}
    finished = subprocess.run(
        [sys.executable, "-m", "embedded_aws.pulumi_mocks"],
        cwd=project,
        env=_environment(server) | dict(environment or {}),
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=False,
    )
    # The last line is the answer; what the program itself printed stands before it.
    *printed, last = finished.stdout.splitlines() or [""]
    if finished.returncode != 0 or not last:
        complaint = (finished.stderr or finished.stdout).strip().splitlines() or ["it said nothing"]
        raise DeploymentError(f"The deployment of {project} broke off: {complaint[-1]}")
    answer = json.loads(last)
    for line in filter(None, printed):
        LOG.info("%s", line)
    for warning in answer["warnings"]:
        LOG.warning("%s", warning)
    if answer["error"] is not None:
        raise DeploymentError(answer["error"])
    outputs: dict[str, Any] = answer["outputs"]
    return outputs


def _environment(server: AwsServer) -> dict[str, str]:
    """Return the process's environment: the embedded AWS as the only one there is, in boto3's own variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PULUMI_"))}
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return kept | {
        "AWS_ACCESS_KEY_ID": server.owner.access_key_id,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_ENDPOINT_URL": server.url,
        "AWS_REGION": server.region,
        "AWS_DEFAULT_REGION": server.region,
        "AWS_SECRET_ACCESS_KEY": server.owner.secret_access_key,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(paths),
    }
