"""`spotify-etl export`: the tables and views of a pipeline as files on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

import duckdb
from rich.console import Console

from cli.errors import CommandError
from cli.lake import DATABASE_FILE, SavedLake, save_lake
from cli.playlist_files import PlaylistItem, write_playlist
from cli.presentation import StepResult, Steps, pluralize, print_line
from cli.spreadsheets import defused
from cli.targets import Target, aws_errors
from cli.text import quoted
from handlers.layout import TABLES_PREFIX

ExportFormat = Literal["duckdb", "parquet", "csv", "m3u"]

_RESULTS: dict[ExportFormat, str] = {
    "duckdb": DATABASE_FILE,
    "parquet": TABLES_PREFIX.rstrip("/"),
    "csv": "csv",
    "m3u": "playlists",
}
"""The file or folder of each format."""
_VIEWS = "view_name LIKE 'current\\_%' ESCAPE '\\'"
"""The views in CSV besides `listens`: others are for queries to build on."""

_SAVED_TRACKS = "Liked Songs"
"""Spotify's name of the list of saved tracks, newest first."""
_ITEMS = """
    SELECT item_uri, coalesce(item_name, ''), coalesce(artist_name, show_name, ''), duration_ms
    FROM (
        SELECT account_id, playlist_id, position, item_uri, item_name, artist_name, show_name, duration_ms
        FROM current_playlist_items
        UNION ALL
        SELECT
            account_id,
            $saved,
            row_number() OVER (ORDER BY added_at DESC, item_uri),
            item_uri,
            track_name,
            artist_name,
            NULL,
            duration_ms
        FROM current_saved_tracks
    )
    WHERE account_id = $account AND playlist_id = $playlist AND item_uri <> ''
    ORDER BY position
"""


def parse_formats(text: str) -> tuple[ExportFormat, ...]:
    """Return the formats in a comma-separated list.

    Raises:
        CommandError: one of them is unknown, or there is none.
    """
    wanted = {name.strip().lower() for name in text.split(",")} - {""}
    known = get_args(ExportFormat)
    if not wanted or not wanted <= {*known}:
        unknown = ", ".join(sorted(wanted - {*known})) or "nothing"
        raise CommandError(f"--format takes {', '.join(known)}, several with commas between, not {quoted(unknown)}.")
    return tuple(each for each in known if each in wanted)


def export_lake(
    target: Target, formats: Sequence[ExportFormat], folder: Path, *, replace: bool, console: Console
) -> None:
    """Export the lake; what is there of each format appears at once, when all of it has been written.

    Args:
        target: the pipeline.
        formats: what to write.
        folder: where; created if it does not exist.
        replace: whether an earlier export may be replaced.
        console: where progress is printed.

    Raises:
        CommandError: an earlier export is there, a file cannot be written, or AWS refused a request.
    """
    target.announce(console)
    for each in formats:
        if not replace and (folder / _RESULTS[each]).exists():
            raise CommandError(
                f"{folder / _RESULTS[each]} exists: pass --replace to replace it, or choose another folder with --out."
            )
    with _writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # On the same disk, so that the results can be moved. It can be read by the user alone, as can the results.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".export-") as aside:
            _export(target, formats, Path(aside), Steps(console))
            for each in formats:
                _move(Path(aside) / _RESULTS[each], folder / _RESULTS[each], Path(aside))
    for each in formats:
        print_line(console, f"{each}: ", (str(folder / _RESULTS[each]), "bold"))


def _export(target: Target, formats: Sequence[ExportFormat], aside: Path, steps: Steps) -> None:
    with steps.step("Copy the tables and views") as result, aws_errors():
        saved = save_lake(target.client, target.outputs, aside, on_progress=result.progress)
        result.say(pluralize(saved.files, "Parquet file"))
    writers: dict[ExportFormat, tuple[str, Callable[[SavedLake, Path, StepResult], None]]] = {
        "csv": ("Write a CSV file of each view", _write_csv),
        "m3u": ("Write the playlists", _write_playlists),
    }
    for each in formats:
        if each in writers:
            title, write = writers[each]
            with steps.step(title) as result:
                made = aside / _RESULTS[each]
                made.mkdir(mode=0o700)
                write(saved, made, result)


def _write_csv(saved: SavedLake, folder: Path, result: StepResult) -> None:
    with duckdb.connect(str(saved.database), read_only=True) as database:
        views = [
            name
            for (name,) in database.execute(
                f"SELECT view_name FROM duckdb_views() WHERE schema_name = 'main' AND {_VIEWS} ORDER BY view_name"  # noqa: S608 - constants
            ).fetchall()
        ]
        for name in (*views, "listens"):
            result.progress(name)
            cells = ", ".join(
                f"{defused(column) if kind == 'VARCHAR' else column} AS {column}"
                for column, kind, *_ in database.execute(f'DESCRIBE "{name}"').fetchall()
            )
            path = str(folder / f"{name}.csv").replace("'", "''")
            database.execute(f"COPY (SELECT {cells} FROM \"{name}\") TO '{path}' (FORMAT csv, HEADER)")  # noqa: S608 - names of the project's own
    result.say(pluralize(len(views) + 1, "file"))


def _write_playlists(saved: SavedLake, folder: Path, result: StepResult) -> None:
    with duckdb.connect(str(saved.database), read_only=True) as database:
        playlists = database.execute(
            """
            SELECT account_id, playlist_id, coalesce(name, '') AS name FROM current_playlists
            UNION SELECT account_id, ?, ? FROM current_saved_tracks
            ORDER BY ALL
            """,
            [_SAVED_TRACKS, _SAVED_TRACKS],
        ).fetchall()
        for account, playlist, name in playlists:
            result.progress(name)
            items = database.execute(
                _ITEMS, {"account": account, "playlist": playlist, "saved": _SAVED_TRACKS}
            ).fetchall()
            write_playlist(folder, name, map(_item, items), fallback=playlist)
    result.say(pluralize(len(playlists), "playlist"))


def _item(row: tuple[str, str, str, int | None]) -> PlaylistItem:
    uri, name, artist, milliseconds = row
    seconds = -1 if milliseconds is None else round(milliseconds / 1000)
    return PlaylistItem(uri=uri, name=name, artist=artist, seconds=seconds)


def _move(made: Path, place: Path, aside: Path) -> None:
    """Put a result in its place, and an earlier one aside."""
    if place.exists() or place.is_symlink():
        place.rename(aside / f"earlier-{place.name}")
    made.rename(place)


@contextmanager
def _writing_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        reason = getattr(error, "strerror", None) or quoted(error)
        raise CommandError(
            f"Cannot write to {folder} ({reason}): free some space or choose another folder with --out."
        ) from error
    except duckdb.Error as error:
        raise CommandError(
            f"The stack's tables and views do not fit this version of the command ({quoted(error)}): run `pulumi up` "
            "and `spotify-etl crawl`."
        ) from error
