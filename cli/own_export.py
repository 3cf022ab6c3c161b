"""A privacy export through the whole pipeline on this machine, without AWS and without a Spotify account."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import tzlocal

from cli.errors import CommandError
from cli.import_history import check_paths, import_history
from cli.lake import SavedLake, save_lake
from cli.presentation import Steps, pluralize
from cli.project import PROJECT
from cli.text import quoted
from local.cloud import DeploymentError, EmbeddedCloud
from spotify_simulator import Library, LibraryPlan

ACCOUNT_ID = "me"
"""The account of the plays: an export does not name one."""

_NOBODY = LibraryPlan(saved_tracks=0, playlists=0, saved_albums=0, plays_per_day=0)
"""The pipeline reads nothing from Spotify, but its settings point to a Spotify."""
_LONG_ENOUGH = timedelta(minutes=10)
"""Simulated time in which the queue is emptied, or a crawl ends and the views follow."""


def run_own_export(paths: Sequence[Path], folder: Path, *, timezone: str, steps: Steps) -> SavedLake:
    """Deploy the pipeline, import the export, and save the lake with its views.

    Args:
        paths: of the export, as `import_history` takes them.
        folder: an existing folder for the lake.
        timezone: of the listener, an IANA name; '' for that of this machine.
        steps: where progress is printed.

    Raises:
        CommandError: there is nothing to import, or a step failed.
    """
    check_paths(paths)
    with (
        tempfile.TemporaryDirectory(prefix="spotify-etl-") as working,
        EmbeddedCloud(
            Path(working), start=datetime.now(UTC), library=Library.planned(1, _NOBODY, start=datetime.now(UTC))
        ) as cloud,
    ):
        with steps.step("Deploy __main__.py into the embedded cloud") as result:
            outputs = _deploy(cloud, timezone or local_timezone())
            result.say(f"deployed: {len(outputs['named_queries'])} named queries")
        with steps.step("Import the privacy export"):
            import_history(
                paths,
                outputs["raw_bucket_name"],
                account_id=ACCOUNT_ID,
                again=False,
                console=steps.console,
                s3=cloud.client("s3"),
                next_step="",
            )
        with steps.step("Transform the plays, crawl, and create the views") as result:
            cloud.run_until(cloud.now + _LONG_ENOUGH)
            cloud.client("glue").start_crawler(Name=outputs["glue_crawler_name"])
            cloud.run_until(cloud.now + _LONG_ENOUGH)
            for step in cloud.log:
                if not step.ok:
                    raise CommandError(f"{step.kind} {step.name} failed ({quoted(step.detail)}): please report it.")
        with steps.step("Save the tables, views and queries") as result:
            saved = save_lake(cloud.client, outputs, folder)
            result.say(f"{pluralize(saved.files, 'Parquet file')} and {saved.database.name}")
    return saved


def local_timezone() -> str:
    """Return the IANA name of this machine's time zone, UTC if it has none."""
    try:
        return tzlocal.get_localzone_name() or "UTC"
    except (LookupError, OSError, ValueError):
        return "UTC"


def _deploy(cloud: EmbeddedCloud, timezone: str) -> dict[str, Any]:
    try:
        return cloud.deploy(PROJECT, config={"timezone": timezone, "schedulesEnabled": "false"})
    except DeploymentError as error:
        raise CommandError(f"The program could not be deployed: {quoted(error)}") from error
