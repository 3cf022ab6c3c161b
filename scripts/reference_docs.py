# ruff: noqa: INP001 - a script, no package
"""`make docs`: writes the pages of `docs/` that the registries of streams and tables know already."""

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

ROOT = Path(__file__).parents[1]

_MODES: dict[Mode, str] = {
    "snapshot": "read whole; what equals the last complete read is not written again.",
    "append": "the newest page, of which only what was not seen before is written.",
    "incremental": f"newest first, down to what is known; whole every {FULL_READ_DAYS} days, as only so is seen what "
    "is gone.",
    "per_playlist": "one snapshot a playlist, read when the playlist's `snapshot_id` has moved.",
    "catalogue": "one snapshot for each thing that the setting `catalogueUris` names.",
    "import": "no request: from the files of Spotify's privacy export.",
}
_NOTHING = "–"


def pages() -> dict[Path, str]:
    """Every page by its path below the project's folder."""
    return {Path("docs/streams.md"): streams_page(), Path("docs/tables.md"): tables_page()}


def streams_page() -> str:
    """What is read from Spotify and how, from `handlers/streams.py`."""
    return _page(
        "# Streams",
        "What is read from Spotify, and how. `make docs` writes this page from `handlers/streams.py`.",
        "## What is read",
        "The setting `streams` names the streams of a stack. Empty, it stands for those that are on by default, and "
        "for `catalogue` as well where `catalogueUris` is not empty. With `authMode: app` there is no user, so that "
        f"only {_names(default_streams('app'))} can be read.",
        _table(
            ("stream", "read", "by default", "what"),
            (
                (f"`{stream.name}`", ", ".join(stream.schedules) or "by hand", _default(stream), stream.doc)
                for stream in STREAMS.values()
            ),
        ),
        "## How it is read",
        "Paths are below `spotifyApiUrl`; `{unit}` is the id of a playlist or of a thing of the catalogue. Page sizes "
        "are the largest that the endpoint takes. When Spotify refuses a stream for long, all streams of its quota "
        "group wait and the others go on.",
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
        "What `spotify-etl login` asks for: the scopes of the streams that it is told of, and no others.",
        _table(
            ("stream", "scopes"),
            ((f"`{stream.name}`", _names(stream.scopes) or _NOTHING) for stream in STREAMS.values() if stream.readable),
        ),
        "## The catalogue",
        "`catalogueUris` names things by URI (`spotify:artist:<id>`) or by a link to open.spotify.com, of these kinds. "
        "With an artist come the albums.",
        _table(
            ("kind", "path", "page size", "quota group"),
            (
                *((kind.name, f"`{kind.path}`", _NOTHING, kind.quota_group) for kind in CATALOGUE_KINDS.values()),
                ("albums of an artist", f"`{ARTIST_ALBUMS.path}`", ARTIST_ALBUMS_PAGE_SIZE, ARTIST_ALBUMS.quota_group),
            ),
        ),
    )


def tables_page() -> str:
    """What the tables hold, from `handlers/tables.py`."""
    partitions = _names(sorted({table.partition_key for table in TABLES.values()}))
    return _page(
        "# Tables",
        "What the tables hold. `make docs` writes this page from `handlers/tables.py`. Ask the views of "
        "[queries.md](queries.md) rather than the tables where there is one: a table keeps every read and may hold a "
        "row twice.",
        "The grain is what tells one row of a read from another; none of it is ever null. The partition key "
        f"({partitions}) is one more column, a string, by which a query scans less.",
        *(part for table in TABLES.values() for part in _table_section(table)),
        "## Columns of every table",
        "Behind a table's own.",
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
        return "of the kind, below"
    query = "&".join(f"{name}={value}" for name, value in stream.params)
    ranges = f" for each `time_range` of {_names(stream.time_ranges)}" if stream.time_ranges else ""
    return f"`{stream.path}{'?' if query else ''}{query}`{ranges}" if stream.path else _NOTHING


def _quota_group(stream: Stream) -> str:
    return "of the kind, below" if stream.mode == "catalogue" else stream.quota_group or _NOTHING


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
