"""A Pulumi program run in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from embedded_aws.iam.credentials import AwsCredentials

LOG = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
"""Folder from which the new process imports this package."""


class DeploymentError(Exception):
    """A program could not be deployed; the message is one sentence."""


class ServerEndpoint(Protocol):
    """The server that a program is deployed to. The new process imports this module, and must not wait for moto."""

    region: str
    owner: AwsCredentials

    @property
    def url(self) -> str:
        """The endpoint of every service."""


def deploy(
    server: ServerEndpoint,
    project: Path,
    *,
    stack: str,
    config: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a project's program and create its resources in a server.

    Args:
        server: the server, which must be running.
        project: folder with `__main__.py` and `Pulumi.yaml`.
        stack: name of the stack; `Pulumi.<stack>.yaml` configures it if it exists.
        config: settings that override those of the files; a key without a namespace is the project's.
        environment: additional environment variables for the program.

    Returns:
        The stack's outputs.

    Raises:
        DeploymentError: the program failed, or declares something unsupported.
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
    # The last line is the result, after what the program itself printed.
    *printed, last = finished.stdout.splitlines() or [""]
    if finished.returncode != 0 or not last:
        complaint = (finished.stderr or finished.stdout).strip().splitlines() or ["no output"]
        raise DeploymentError(f"The deployment of {project} failed: {complaint[-1]}")
    result = json.loads(last)
    for line in filter(None, printed):
        LOG.info("%s", line)
    for warning in result["warnings"]:
        LOG.warning("%s", warning)
    if result["error"] is not None:
        raise DeploymentError(result["error"])
    outputs: dict[str, Any] = result["outputs"]
    return outputs


def _environment(server: ServerEndpoint) -> dict[str, str]:
    """Return the environment of the process, in which boto3 knows no other AWS than the embedded one."""
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
