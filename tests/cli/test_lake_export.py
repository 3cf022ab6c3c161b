"""What `export` writes, from a small lake, and what it refuses."""

from __future__ import annotations

import csv
import errno
import io
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from cli import lake_export
from cli.duckdb_file import write_duckdb_file
from cli.errors import CommandError
from cli.lake import SavedLake
from cli.lake_export import ExportFormat, export_lake, parse_formats
from cli.targets import Target

VIEWS = {
    "listens": """
        SELECT
            'ana' AS account_id,
            TIMESTAMP '2026-11-01 12:00:00' AS heard_at,
            -5 AS change,
            track_name,
            ARRAY['=a'] AS tags
        FROM (VALUES '=HYPERLINK("https://x")', 'Say "hi", now', '@home', 'SOS') AS t (track_name)
    """,
    "current_playlists": """
        SELECT account_id, playlist_id, name
        FROM (VALUES ('ana', 'p1', 'Mix'), ('ana', 'p2', '../mix'), ('bo', 'p3', 'Mix'), ('bo', 'p4', NULL))
            AS t (account_id, playlist_id, name)
    """,
    "current_playlist_items": """
        SELECT account_id, playlist_id, position, item_uri, item_name, artist_name, show_name, duration_ms
        FROM (
            VALUES
                ('ana', 'p1', 1, 'spotify:track:b', 'B', 'Beck', NULL, 61500),
                ('ana', 'p1', 0, 'spotify:track:a', 'A', 'Abba', NULL, 60000),
                ('ana', 'p1', 2, '', 'gone', NULL, NULL, NULL),
                ('bo', 'p3', 0, 'spotify:episode:e', 'E', NULL, 'Show', NULL)
        ) AS t (account_id, playlist_id, position, item_uri, item_name, artist_name, show_name, duration_ms)
    """,
    "current_saved_tracks": """
        SELECT account_id, item_uri, track_name, artist_name, duration_ms, added_at
        FROM (
            VALUES
                ('ana', 'spotify:track:old', 'Old', 'Abba', 1000, TIMESTAMP '2025-01-01 00:00:00'),
                ('ana', 'spotify:track:new', 'New', 'Abba', 1000, TIMESTAMP '2026-01-01 00:00:00')
        ) AS t (account_id, item_uri, track_name, artist_name, duration_ms, added_at)
    """,
    "helper": "SELECT 1 AS one",
}


def nothing(service: str) -> Any:
    raise AssertionError(f"{service} is not needed")


TARGET = Target("the local cloud", {}, nothing)


@pytest.fixture(name="lake", scope="module")
def fixture_lake(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a DuckDB file of the views above."""
    path = tmp_path_factory.mktemp("lake") / "spotify.duckdb"
    write_duckdb_file(path, {}, views=VIEWS, queries={})
    return path.read_bytes()


@pytest.fixture(name="export")
def fixture_export(lake: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return a function that exports to the folder `out` and returns what is printed."""

    def save(
        _client: object, _outputs: Mapping[str, Any], folder: Path, *, on_progress: Callable[[str], None]
    ) -> SavedLake:
        on_progress("1 of 1 file")
        (folder / "tables").mkdir(mode=0o700)
        (folder / "spotify.duckdb").write_bytes(lake)
        return SavedLake(folder / "tables", 1, folder / "spotify.duckdb")

    def export(*formats: ExportFormat, replace: bool = False) -> str:
        console = Console(file=io.StringIO(), width=200)
        export_lake(TARGET, formats, tmp_path / "out", replace=replace, console=console)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue()

    monkeypatch.setattr(lake_export, "save_lake", save)
    return export


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_only_the_formats_asked_for_are_there(export: Callable[..., str], tmp_path: Path) -> None:
    printed = export("duckdb")

    assert names(tmp_path / "out") == ["spotify.duckdb"]
    assert printed.splitlines()[0] == "Using the local cloud."
    assert f"duckdb: {tmp_path / 'out' / 'spotify.duckdb'}" in printed
    export("parquet", "csv", "m3u")
    assert names(tmp_path / "out") == ["csv", "playlists", "spotify.duckdb", "tables"]
    assert {stat.S_IMODE((tmp_path / "out" / name).stat().st_mode) for name in ("csv", "playlists")} == {0o700}


def test_csv_has_listens_and_the_current_views_with_formulas_defused(
    export: Callable[..., str], tmp_path: Path
) -> None:
    export("csv")

    folder = tmp_path / "out" / "csv"
    assert names(folder) == [
        "current_playlist_items.csv",
        "current_playlists.csv",
        "current_saved_tracks.csv",
        "listens.csv",
    ]
    with (folder / "listens.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["account_id", "heard_at", "change", "track_name", "tags"]
    assert sorted(row[3] for row in rows) == ['\'=HYPERLINK("https://x")', "'@home", "SOS", 'Say "hi", now']
    assert {(row[1], row[2], row[4]) for row in rows} == {("2026-11-01 12:00:00", "-5", "['=a']")}


def test_each_playlist_and_the_saved_tracks_become_a_file(export: Callable[..., str], tmp_path: Path) -> None:
    export("m3u")

    folder = tmp_path / "out" / "playlists"
    uris = {
        path.name: [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("spotify:")]
        for path in folder.iterdir()
    }
    assert uris == {
        "Liked Songs.m3u8": ["spotify:track:new", "spotify:track:old"],
        "Mix.m3u8": ["spotify:track:a", "spotify:track:b"],
        "mix (2).m3u8": [],
        "Mix (3).m3u8": ["spotify:episode:e"],
        "p4.m3u8": [],
    }
    assert "#EXTINF:62,Beck - B\n" in (folder / "Mix.m3u8").read_text(encoding="utf-8")
    assert "#EXTINF:-1,Show - E\n" in (folder / "Mix (3).m3u8").read_text(encoding="utf-8")


def test_an_earlier_export_is_replaced_only_on_request(export: Callable[..., str], tmp_path: Path) -> None:
    export("m3u", "duckdb")
    mine = tmp_path / "out" / "playlists" / "mine.m3u"
    mine.touch()

    with pytest.raises(CommandError, match=r"out/playlists exists: pass --replace to replace it, or choose another"):
        export("m3u")
    assert mine.exists()
    export("m3u", "duckdb", replace=True)
    assert not mine.exists()
    assert names(tmp_path / "out") == ["playlists", "spotify.duckdb"]


def test_a_full_disk_is_one_sentence_and_leaves_the_earlier_export(
    export: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export("m3u")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lake_export, "write_playlist", full)
    with pytest.raises(CommandError, match=r"^Cannot write to .*/out \(No space left on device\): free some space"):
        export("m3u", replace=True)
    assert len(names(tmp_path / "out" / "playlists")) == 5
    assert names(tmp_path / "out") == ["playlists"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (duckdb.IOException("disk full"), r"^Cannot write to .*/out \(disk full\): free some space"),
        (duckdb.CatalogException("no listens"), r"^The stack's tables and views do not fit .* \(no listens\): run"),
    ],
)
def test_an_error_of_duckdb_is_one_sentence(
    export: Callable[..., str], monkeypatch: pytest.MonkeyPatch, error: duckdb.Error, sentence: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(lake_export, "save_lake", fail)
    with pytest.raises(CommandError, match=sentence):
        export("duckdb")


def test_a_folder_that_is_a_file_is_one_sentence(export: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "out").touch()

    with pytest.raises(CommandError, match=r"^Cannot write to .*/out \((File exists|Not a directory)\)"):
        export("duckdb")


def test_formats_are_a_list() -> None:
    assert parse_formats("m3u, CSV,m3u") == ("csv", "m3u")
    for text, found in (("xlsx,csv", "xlsx"), ("", "nothing"), (",", "nothing")):
        with pytest.raises(CommandError, match=rf"^--format takes duckdb, parquet, csv, m3u, .*, not {found}\.$"):
            parse_formats(text)
