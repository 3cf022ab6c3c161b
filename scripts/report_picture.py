# ruff: noqa: INP001 - a script, no package
"""`make picture`: writes the README's picture of the report, of the demo's listener after three years."""

from __future__ import annotations

import shutil
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from cli.demo import START, TIMEZONE
from cli.own_export import run_own_export
from cli.presentation import Steps, terminal
from cli.report.report import ReportRequest, write_report
from cli.report.sources import DuckdbFile
from spotify_simulator import Library, LibraryPlan
from spotify_simulator.privacy_export import write_privacy_export
from tests.browser.chromium import open_page

PICTURE = Path(__file__).parents[1] / "docs" / "report.png"

_PLAN = LibraryPlan(
    saved_tracks=600, playlists=10, saved_albums=60, plays_per_day=30, export_days=1095, timezone=TIMEZONE
)
_SIZE = (1180, 1500)
"""Width and height in pixels: the report's first screen and a half."""


def main() -> None:
    """Write the picture."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed (on Debian: apt install chromium).")
    steps = Steps(terminal())
    with tempfile.TemporaryDirectory() as working:
        folder = Path(working)
        library = Library.planned(1, _PLAN, start=START)
        export = write_privacy_export(library, folder, START + timedelta(hours=1), zipped=True)
        saved = run_own_export([export], folder, timezone=TIMEZONE, steps=steps)
        page = folder / "report.html"
        write_report(
            DuckdbFile(saved.database),
            ReportRequest(path=page, account_id="", year=None, card=None),
            name=saved.database.name,
            on_query=lambda _query: None,
        )
        open_page(
            chromium,
            page.as_uri(),
            folder / "profile",
            f"--screenshot={PICTURE}",
            f"--window-size={_SIZE[0]},{_SIZE[1]}",
            "--hide-scrollbars",
        )


if __name__ == "__main__":
    main()
