"""`spotify-etl local env`: how other tools use the local cloud."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import IO

from cli.errors import CommandError
from cli.local_cloud.pulumi_stack import pulumi_variables
from cli.local_cloud.running import running_cloud
from cli.presentation import write_line
from local.running_cloud import RunningCloud

_PROFILE = re.compile(r"[A-Za-z0-9_.@+-]{1,64}")


def show_environment(stream: IO[str], *, profile: str) -> None:
    """Print export statements for a shell, or a profile for AWS's configuration files.

    Raises:
        CommandError: no local cloud is running, or the profile's name is not possible.
    """
    if profile and not _PROFILE.fullmatch(profile):
        raise CommandError("The name of a profile has letters, digits and - _ . only: choose another one.")
    running = running_cloud()
    for line in profile_lines(running, profile) if profile else export_lines(running):
        write_line(stream, line)


def export_lines(running: RunningCloud) -> list[str]:
    """Return statements that any POSIX shell can evaluate."""
    variables = {
        "AWS_ENDPOINT_URL": running.url,
        "AWS_ACCESS_KEY_ID": running.access_key_id,
        "AWS_SECRET_ACCESS_KEY": running.secret_access_key,
        "AWS_REGION": running.region,
        "AWS_DEFAULT_REGION": running.region,
        **({} if running.outputs else pulumi_variables(Path(running.data))),
    }
    return [
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
        # Either would be preferred to the keys.
        "unset AWS_PROFILE AWS_SESSION_TOKEN",
    ]


def profile_lines(running: RunningCloud, name: str) -> list[str]:
    """Return the sections of a profile, with comments that say which file each belongs to."""
    return [
        "# ~/.aws/config",
        f"[profile {name}]" if name != "default" else "[default]",
        f"region = {running.region}",
        f"endpoint_url = {running.url}",
        "s3 =",
        "  addressing_style = path",
        "",
        "# ~/.aws/credentials",
        f"[{name}]",
        f"aws_access_key_id = {running.access_key_id}",
        f"aws_secret_access_key = {running.secret_access_key}",
    ]
