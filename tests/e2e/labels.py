"""Labels and exclusions of what a simulated listener heard."""

from __future__ import annotations

import csv
from pathlib import Path

from rich.console import Console

from cli.labels import import_labels
from cli.targets import Target
from tests.e2e.world import World


def label_heard(world: World, folder: Path) -> None:
    """Import a label of one artist and exclude another, both from the export."""
    artists = sorted(
        {
            record["master_metadata_album_artist_name"]
            for record in world.library.streaming_history(world.cloud.now)
            if record["master_metadata_album_artist_name"]
        }
    )
    path = folder / "labels.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("subject", "label", "excluded"), (artists[0], "favourite", ""), (artists[-1], "", "yes")]
        )
    target = Target("the cloud", world.outputs, world.cloud.client)
    import_labels(path, target, account_id="", console=Console(quiet=True))
