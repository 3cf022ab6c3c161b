"""The configuration of a stack, read as Pulumi's command reads it.

Source: https://www.pulumi.com/docs/iac/concepts/projects/project-file/ and
https://www.pulumi.com/docs/iac/concepts/config/
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROVIDER_SETTINGS = {
    "aws:region": "has to be the server's",
    "aws:accessKey": "the deployment has the owner's credentials",
    "aws:secretKey": "the deployment has the owner's credentials",
    "aws:endpoints": "the deployment goes to the server that runs",
    "aws:s3UsePathStyle": "the deployment always does",
    "aws:skipCredentialsValidation": "the deployment validates nothing",
    "aws:skipMetadataApiCheck": "the deployment validates nothing",
    "aws:skipRegionValidation": "the deployment validates nothing",
    "aws:skipRequestingAccountId": "the deployment validates nothing",
}
"""Settings of the AWS provider that may be given → why nothing has to be done about them."""


class StackConfigError(Exception):
    """A project or stack file that cannot be used; the message names file and key."""


def read_configuration(project: Path, stack: str, overrides: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the project's name and its configuration, key with namespace → value as text.

    Args:
        project: folder of `Pulumi.yaml`.
        stack: its file is `Pulumi.<stack>.yaml`.
        overrides: win over both files; a key without a namespace is the project's.

    Raises:
        StackConfigError: `Pulumi.yaml` is missing, or a file holds what is not modelled here.
    """
    about = _load(project / "Pulumi.yaml")
    if "name" not in about:
        raise StackConfigError(f"{project / 'Pulumi.yaml'} is missing or names no project.")
    name = str(about["name"])
    config = {
        _key(key, name): _text(value)
        for key, given in (about.get("config") or {}).items()
        if (value := _default(given)) is not None
    }
    stack_file = project / f"Pulumi.{stack}.yaml"
    for key, value in (_load(stack_file).get("config") or {}).items():
        if isinstance(value, dict) and "secure" in value:
            raise StackConfigError(f"{stack_file}: {key} is encrypted, which only Pulumi's own command can read.")
        config[_key(key, name)] = _text(value)
    config |= {_key(key, name): value for key, value in overrides.items()}
    _check_provider(config)
    return name, config


def _load(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise StackConfigError(f"{file} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise StackConfigError(f"{file} has to hold a mapping.")
    return found


def _default(given: Any) -> Any:
    """Return the value that a project file gives a setting, which may be plain or a declaration."""
    if isinstance(given, dict):
        return given.get("value", given.get("default"))
    return given


def _key(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: Any) -> str:
    """Return a value as Pulumi passes it to programs: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _check_provider(config: Mapping[str, str]) -> None:
    for key in config:
        if key.startswith("aws:") and key not in PROVIDER_SETTINGS:
            raise StackConfigError(f"The provider setting {key} is not modelled by the embedded cloud; remove it.")
    here = os.environ["AWS_REGION"]
    region = config.get("aws:region", here)
    if region != here:
        raise StackConfigError(f"aws:region is {region}, but the embedded cloud runs in {here}: use one for both.")
