"""What Pulumi's own command needs to deploy into an empty local cloud."""

from __future__ import annotations

import shlex
from pathlib import Path

from cli.project import PROJECT
from local.cloud_folder import STACK_FILE, CloudFolder, CloudRecord
from local.ports import PORT


def stack_configuration(record: CloudRecord) -> str:
    """Return the project's configuration for the stack `local`, with a cloud's ports and its simulated Spotify."""
    text = (PROJECT / STACK_FILE).read_text("utf-8").replace(f":{PORT}", f":{record.port}")
    if record.spotify == "live":
        return text
    spotify = f"http://127.0.0.1:{record.spotify_port}/"
    before, head, after = text.partition("config:\n")
    return (
        f"{before}{head}  spotify-etl:spotifyApiUrl: {spotify}v1/\n  spotify-etl:spotifyAccountsUrl: {spotify}\n{after}"
    )


def pulumi_variables(data: Path) -> dict[str, str]:
    """Return environment variables that keep Pulumi's state with a cloud's data, whatever the user is logged in to."""
    return {
        "PULUMI_BACKEND_URL": CloudFolder(data).pulumi.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "",
        # No layers are built: functions use the packages of the environment that the cloud runs in.
        "SPOTIFY_ETL_LAYERS": "locks",
    }


def pulumi_commands(data: Path) -> list[tuple[str, str]]:
    """Return the commands that deploy the pipeline, in a shell with these variables, and what each does."""
    file = shlex.quote(str(CloudFolder(data).stack_file))
    return [
        ("pulumi stack init local", "once, in the same shell"),
        (f"pulumi up -s local --config-file {file}", "deploy the pipeline"),
    ]
