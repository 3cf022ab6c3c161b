"""The configuration of a stack, read as the Pulumi CLI reads it.

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
    "aws:region": "must be the server's region",
    "aws:accessKey": "the deployment has the owner's credentials",
    "aws:secretKey": "the deployment has the owner's credentials",
    "aws:endpoints": "the deployment uses the running server",
    "aws:s3UsePathStyle": "the deployment always does",
    "aws:skipCredentialsValidation": "the deployment validates nothing",
    "aws:skipMetadataApiCheck": "the deployment validates nothing",
    "aws:skipRegionValidation": "the deployment validates nothing",
    "aws:skipRequestingAccountId": "the deployment validates nothing",
}
"""Setting of the AWS provider that is allowed → why it has no effect."""


class StackConfigError(Exception):
    """A project or stack file is invalid; the message names the file and key."""


def read_configuration(project: Path, stack: str, overrides: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the project's name and its configuration, key with namespace → value as text.

    Args:
        project: folder with `Pulumi.yaml`.
        stack: name of the stack, which `Pulumi.<stack>.yaml` configures.
        overrides: settings that override both files; a key without a namespace is the project's.

    Raises:
        StackConfigError: `Pulumi.yaml` is missing, or a file is invalid or uses something unsupported.
    """
    about = _load(project / "Pulumi.yaml")
    if "name" not in about:
        raise StackConfigError(f"{project / 'Pulumi.yaml'} is missing or has no project name.")
    name = str(about["name"])
    config = {
        _key(key, name): _text(value)
        for key, given in (about.get("config") or {}).items()
        if (value := _default(given)) is not None
    }
    stack_file = project / f"Pulumi.{stack}.yaml"
    for key, value in (_load(stack_file).get("config") or {}).items():
        if isinstance(value, dict) and "secure" in value:
            raise StackConfigError(f"{stack_file}: {key} is encrypted; only the Pulumi CLI can read it.")
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
        raise StackConfigError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise StackConfigError(f"{file} must contain a mapping.")
    return found


def _default(given: Any) -> Any:
    """Return the value of a setting in a project file, which may be a plain value or a declaration."""
    if isinstance(given, dict):
        return given.get("value", given.get("default"))
    return given


def _key(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: Any) -> str:
    """Return a value as Pulumi passes it to programs: strings unchanged, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def _check_provider(config: Mapping[str, str]) -> None:
    for key in config:
        if key.startswith("aws:") and key not in PROVIDER_SETTINGS:
            raise StackConfigError(f"The provider setting {key} is not supported by the embedded AWS; remove it.")
    here = os.environ["AWS_REGION"]
    region = config.get("aws:region", here)
    if region != here:
        raise StackConfigError(f"aws:region is {region}, but the embedded AWS is in {here}: use the same region.")
