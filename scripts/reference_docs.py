# ruff: noqa: INP001 - a script, no package
"""`make docs`: writes the files that follow from the registries, the settings and the help texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from handlers.streams import (
    ARTIST_ALBUMS,
    ARTIST_ALBUMS_PAGE_SIZE,
    CATALOGUE_KINDS,
    FULL_READ_DAYS,
    STREAMS,
    Mode,
    Stream,
    default_streams,
)
from handlers.tables import COMMON, TABLES, Column, Table
from scripts import permissions_page, policies_page, settings_docs
from scripts.commands_page import commands_page
from scripts.component_schema import component_schema

ROOT = Path(__file__).parents[1]

_MODES: dict[Mode, str] = {
    "snapshot": "read in full; not written again if it equals the last complete read.",
    "append": "the newest page; only records that have not been seen before are written.",
    "incremental": f"newest first, down to known records; in full every {FULL_READ_DAYS} days, which shows what was "
    "removed.",
    "per_playlist": "one snapshot per playlist, read when the playlist's `snapshot_id` has changed.",
    "catalogue": "one snapshot per entry of the setting `catalogueUris`.",
    "import": "no requests: imported from a file of yours.",
}
_NOTHING = "–"


def pages() -> dict[Path, str]:
    """Return every page by its path below the project's folder."""
    return {
        Path("docs/streams.md"): streams_page(),
        Path("docs/tables.md"): tables_page(),
        Path("docs/commands.md"): commands_page(),
        Path("plugin/schema.json"): component_schema(),
        **settings_docs.pages(),
        **permissions_page.pages(),
        **policies_page.pages(),
    }


def streams_page() -> str:
    """Return the page on streams."""
    return _page(
        "# Streams",
        "What is read from Spotify, and how. `make docs` writes this page from `handlers/streams.py`.",
        "## What is read",
        "The setting `streams` lists the streams of a stack. If it is empty, the streams that are on by default are "
        "read, and `catalogue` if `catalogueUris` is not empty. With `authMode: app` there is no user, and only "
        f"{_names(default_streams('app'))} can be read.",
        _table(
            ("stream", "read", "by default", "what"),
            (
                (f"`{stream.name}`", ", ".join(stream.schedules) or "on import", _default(stream), stream.doc)
                for stream in STREAMS.values()
            ),
        ),
        "## How it is read",
        "Paths are below `spotifyApiUrl`; `{unit}` is the id of a playlist or of an entry of `catalogueUris`. Page "
        "sizes are the largest that the endpoint accepts. When Spotify locks a stream for a long time, all streams of "
        "its quota group wait; the others continue.",
        _table(
            ("stream", "mode", "path", "page size", "quota group", "key of a record"),
            (
                (
                    f"`{stream.name}`",
                    stream.mode,
                    _path(stream),
                    stream.page_size or _NOTHING,
                    _quota_group(stream),
                    _names(stream.key),
                )
                for stream in STREAMS.values()
            ),
        ),
        "\n".join(f"- {mode}: {meaning}" for mode, meaning in _MODES.items()),
        "## Consent",
        "`spotify-etl login` requests only the scopes of the streams that are to be read.",
        _table(
            ("stream", "scopes"),
            ((f"`{stream.name}`", _names(stream.scopes) or _NOTHING) for stream in STREAMS.values() if stream.readable),
        ),
        "## The catalogue",
        "`catalogueUris` takes URIs (`spotify:artist:<id>`) and links to open.spotify.com, of these kinds. Artists are "
        "read with their albums.",
        _table(
            ("kind", "path", "page size", "quota group"),
            (
                *((kind.name, f"`{kind.path}`", _NOTHING, kind.quota_group) for kind in CATALOGUE_KINDS.values()),
                ("albums of an artist", f"`{ARTIST_ALBUMS.path}`", ARTIST_ALBUMS_PAGE_SIZE, ARTIST_ALBUMS.quota_group),
            ),
        ),
    )


def tables_page() -> str:
    """Return the page on tables."""
    partitions = _names(sorted({table.partition_key for table in TABLES.values()}))
    return _page(
        "# Tables",
        "The tables and their columns. `make docs` writes this page from `handlers/tables.py`. Query the views of "
        "[queries.md](queries.md) rather than the tables: a table keeps every read and may have duplicate rows.",
        f"The grain identifies a row within a read; its columns are never null. The partition key ({partitions}) is an "
        "additional string column; filter by it to scan less.",
        *(part for table in TABLES.values() for part in _table_section(table)),
        "## Columns of every table",
        "After the table's own columns.",
        _columns(COMMON),
    )


def write(folder: Path) -> None:
    """Write every page below a folder."""
    for path, text in pages().items():
        (folder / path).write_text(text, encoding="utf-8")


def _default(stream: Stream) -> str:
    return "on" if stream.default else "off" if stream.readable else _NOTHING


def _path(stream: Stream) -> str:
    if stream.mode == "catalogue":
        return "see the kinds below"
    query = "&".join(f"{name}={value}" for name, value in stream.params)
    ranges = f" for each `time_range` of {_names(stream.time_ranges)}" if stream.time_ranges else ""
    return f"`{stream.path}{'?' if query else ''}{query}`{ranges}" if stream.path else _NOTHING


def _quota_group(stream: Stream) -> str:
    return "see the kinds below" if stream.mode == "catalogue" else stream.quota_group or _NOTHING


def _table_section(table: Table) -> tuple[str, ...]:
    sources = _names(stream.name for stream in STREAMS.values() if stream.table == table.name)
    return (
        f"## {table.name}",
        f"{table.doc} Grain: {_names(table.grain)}. Partition key: `{table.partition_key}`."
        + (f" Filled by: {sources}." if sources else ""),
        _columns(table.columns),
    )


def _columns(columns: Sequence[Column]) -> str:
    return _table(("column", "type", "what"), ((f"`{one.name}`", one.type, one.doc) for one in columns))


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _page(*parts: str) -> str:
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    write(ROOT)
