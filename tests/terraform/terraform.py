"""Terraform's command, in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from embedded_aws import EmbeddedAws

_OLDEST_PROVIDER = ">= 5.100"
_DIFFERENT = 2
"""How `terraform plan -detailed-exitcode` ends if the plan is not empty."""


class TerraformError(Exception):
    """Terraform is missing, or a command of it has failed."""


class Terraform:
    """Deploys a configuration to an embedded AWS.

    Args:
        aws: the cloud.
        folder: a copy of the configuration; also keeps the state.
        variables: of the configuration.

    Raises:
        TerraformError: Terraform is not installed, or cannot fetch its AWS provider.
    """

    def __init__(self, aws: EmbeddedAws, folder: Path, variables: Mapping[str, str]) -> None:
        command = shutil.which("terraform")
        if command is None:
            raise TerraformError(
                "Terraform is missing: install it, so that terraform is on PATH, and run make test-terraform again."
            )
        self._command = command
        self._folder = folder
        self._variables = dict(variables)
        owner = aws.server.owner
        # The user's own profiles, regions and endpoints must have no effect here.
        own = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))}
        self._environment = {
            **own,
            "AWS_ENDPOINT_URL": aws.server.url,
            "AWS_ACCESS_KEY_ID": owner.access_key_id,
            "AWS_SECRET_ACCESS_KEY": owner.secret_access_key,
            "AWS_DEFAULT_REGION": aws.server.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CHECKPOINT_DISABLE": "true",
            "TF_IN_AUTOMATION": "true",
        }
        required = {"aws": {"source": "hashicorp/aws", "version": _OLDEST_PROVIDER}}
        (folder / "versions.tf.json").write_text(json.dumps({"terraform": {"required_providers": required}}))
        try:
            self._run("init", "-input=false", "-no-color")
        except TerraformError as error:
            raise TerraformError(
                f"{error}\nTerraform could not fetch its AWS provider; see above for the reason. Check the network, or"
                " set TF_CLI_ARGS_init=-plugin-dir=FOLDER to a folder that has it, and run make test-terraform again."
            ) from error

    def apply(self, **variables: str | int) -> None:
        """Deploy, with other values of some variables.

        Raises:
            TerraformError: it failed.
        """
        self._variables |= {name: str(value) for name, value in variables.items()}
        self._run("apply", "-auto-approve", *self._given())

    def drift(self) -> str:
        """Return what a plan would change: nothing if the cloud has what was deployed.

        Raises:
            TerraformError: it failed.
        """
        done = self._run("plan", "-detailed-exitcode", *self._given(), expected=(0, _DIFFERENT))
        return done.stdout if done.returncode == _DIFFERENT else ""

    def destroy(self) -> None:
        """Delete everything.

        Raises:
            TerraformError: it failed.
        """
        self._run("destroy", "-auto-approve", *self._given())

    def deployed(self) -> list[str]:
        """Return the addresses of all resources in the state."""
        return self._run("state", "list").stdout.splitlines()

    def _given(self) -> list[str]:
        return ["-input=false", "-no-color", *(f"-var={name}={value}" for name, value in self._variables.items())]

    def _run(self, *arguments: str, expected: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [self._command, *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in expected:
            raise TerraformError(f"terraform {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done
