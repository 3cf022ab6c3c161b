"""A person's own privacy export, from the zip to the report, as a person runs it."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.own_export import ACCOUNT_ID
from spotify_simulator import Library, LibraryPlan
from spotify_simulator.privacy_export import write_privacy_export

ROOT = Path(__file__).parents[2]
LISTEN = 30_000

pytestmark = pytest.mark.slow


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=600
    )


@pytest.fixture(scope="module", name="export")
def fixture_export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    now = datetime.now(UTC).replace(microsecond=0)
    plan = LibraryPlan(saved_tracks=50, playlists=1, saved_albums=1, plays_per_day=40, export_days=400)
    library = Library.planned(3, plan, start=now - timedelta(days=3))
    return write_privacy_export(library, tmp_path_factory.mktemp("export"), now, zipped=True, doubled_percent=5)


@pytest.fixture(scope="module", name="saved")
def fixture_saved(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "mine"
    done = run("demo", "--export", str(export), "--folder", str(folder), "--no-open", "--timezone", "UTC")
    assert (done.returncode, done.stderr) == (0, "")
    assert "report.html" in done.stdout
    assert "after the next crawl" not in done.stdout
    return folder


def expected(export: Path) -> dict[str, Any]:
    """Count the listens in the files themselves; elements that differ only in what is not stored are one play."""
    elements = set()
    with zipfile.ZipFile(export) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                elements |= {
                    json.dumps({key: value for key, value in element.items() if key != "ip_addr"}, sort_keys=True)
                    for element in json.loads(archive.read(name))
                }
    listens = [play for play in map(json.loads, elements) if play["ms_played"] >= LISTEN]
    years = [play["ts"][:4] for play in listens]
    return {
        "account_id": ACCOUNT_ID,
        "listens": len(listens),
        "hours_at_most": round(sum(play["ms_played"] for play in listens) / 3_600_000, 1),
        "years": {int(year): years.count(year) for year in years},
    }


def test_numbers_are_those_of_the_files(export: Path, saved: Path) -> None:
    truth = expected(export)
    with duckdb.connect(str(saved / "spotify.duckdb"), read_only=True) as database:
        overview = database.execute("SELECT account_id, listens, hours_at_most FROM queries.overview").fetchall()
        years = database.execute("SELECT sum(listens) FROM queries.year_in_review").fetchall()
    assert overview == [(truth["account_id"], truth["listens"], truth["hours_at_most"])]
    assert years == [(truth["listens"],)]
    page = (saved / "report.html").read_text(encoding="utf-8")
    assert f"{truth['listens']:,}</data>" in page


def test_report_of_the_saved_lake_has_a_card(saved: Path, tmp_path: Path) -> None:
    out, card = tmp_path / "report.html", tmp_path / "card.svg"
    done = run("report", str(saved / "spotify.duckdb"), "--out", str(out), "--card", str(card))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-2:] == [f"The report is {out}.", f"The card is {card}."]
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert card.read_text(encoding="utf-8").startswith("<svg ")


def test_report_of_the_export_itself_is_the_same(saved: Path, export: Path, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    done = run("report", str(export), "--out", str(out), "--timezone", "UTC")
    assert (done.returncode, done.stderr) == (0, "")

    def figures(path: Path) -> list[str]:
        return [line for line in path.read_text(encoding="utf-8").splitlines() if "<dd><data" in line]

    assert figures(out) == figures(saved / "report.html") != []
