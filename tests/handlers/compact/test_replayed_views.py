"""What views return of an object that a newer version replays after its rows were compacted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from cli.duckdb_file import write_duckdb_file
from handlers.layout import ManifestKey, table_prefix
from handlers.tables import SCHEMA_VERSION, TABLES
from handlers.transform import origin
from tests.handlers.compact.lake import HOUR, NOON, RAW, Lake
from tests.handlers.transform.stage import ACCOUNT, READ, compressed, metadata_of, raw_line
from tests.queries.lake import TIMEZONE, VIEWS
from tests.thoroughness import sampled

RUN = "20261123T060000Z-hourly"
QUERIES = {
    "saved": "SELECT track_name FROM current_saved_tracks ORDER BY 1",
    "tracks": "SELECT name FROM current_tracks ORDER BY 1",
    "artists": "SELECT track_id, artist_id FROM current_track_artists ORDER BY 1",
    "rejected": "SELECT _line, reason FROM rejections ORDER BY 1",
    "arrived": "SELECT arrived_records, is_complete FROM read_arrivals WHERE stream = 'saved_tracks'",
    "listed": "SELECT count(*) FROM run_attempts",
}


def saved(name: str, *, has_id: bool = True) -> dict[str, Any]:
    """A line whose track has this name, id and artist; without an id there is no entity."""
    track = {
        "id": name,
        "uri": f"spotify:track:{name}",
        "name": name,
        "type": "track",
        "artists": [{"id": f"of {name}"}],
    }
    record = {"added_at": "2026-11-01T12:00:00Z", "track": {**track, "id": name if has_id else None}}
    return raw_line("saved_tracks", record, run_id=RUN)


def answers(lake: Lake, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the rows of `QUERIES` over what is in the bucket."""
    files: dict[str, list[Path]] = {table: [] for table in TABLES}
    for table, paths in files.items():
        for key in lake.listed(table_prefix(table)):
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(lake.body(key))
            paths.append(path)
    database = folder / "lake.duckdb"
    views = {name: sql.replace("${timezone}", TIMEZONE) for name, sql in VIEWS.items()}
    write_duckdb_file(database, files, views=views, queries={})
    with duckdb.connect(str(database), read_only=True) as opened:
        return {name: opened.execute(sql).fetchall() for name, sql in QUERIES.items()}


def store(lake: Lake, lines: list[Any], key: str) -> None:
    lake.s3.put_object(Bucket=RAW, Key=key, Body=compressed(lines), Metadata=metadata_of(lines))


@pytest.mark.parametrize(
    ("line", "replayed", "changed"),
    sampled(
        [
            pytest.param(
                saved("b"),
                b"no JSON",
                {"saved": [("a",)], "tracks": [("a",)], "artists": [("a", "of a")], "rejected": [(2, "not_json")]},
                id="a row becomes a rejected record",
            ),
            pytest.param(
                b"no JSON",
                saved("b"),
                {
                    "saved": [("a",), ("b",)],
                    "tracks": [("a",), ("b",)],
                    "artists": [("a", "of a"), ("b", "of b")],
                    "rejected": [],
                },
                id="a rejected record becomes a row",
            ),
            pytest.param(
                saved("b"),
                saved("b", has_id=False),
                {"tracks": [("a",)], "artists": [("a", "of a")]},
                id="a line has no entity any more",
            ),
        ]
    ),
)
def test_only_what_the_newer_version_wrote_counts(
    lake: Lake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    line: Any,
    replayed: Any,
    changed: Mapping[str, list[tuple[Any, ...]]],
) -> None:
    """A newer version makes something else of a line; as a stand-in, the line itself changes."""
    lines = [saved("a"), line]
    key = lake.extract("saved_tracks", lines)
    unit = {
        "stream": "saved_tracks", "unit": "", "status": "complete", "read_id": READ, "mode": "full",
        "read_complete": True, "read_keys": [key], "read_records": 2,
    }  # fmt: skip
    manifest = str(ManifestKey(RUN, 0))
    content = {"account_id": ACCOUNT, "started_at": "2026-11-23T06:00:00Z", "units": [unit]}
    lake.s3.put_object(Bucket=RAW, Key=manifest, Body=json.dumps(content).encode())
    lake.replay(manifest)
    # A second object of each table, so that there is something to compact.
    lake.extract("saved_tracks", [b"no JSON of another read", saved("other read")], hour=7)
    before = answers(lake, tmp_path / "before")
    lake.compact(NOON)
    lake.compact(NOON + HOUR)
    compacted = answers(lake, tmp_path / "compacted")
    assert compacted == before

    monkeypatch.setattr(origin, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    store(lake, [saved("a"), replayed], key)
    lake.replay(key, late=True)
    assert len(lake.compacted("tracks")) == 1
    after = answers(lake, tmp_path / "replayed")

    others: dict[str, list[tuple[Any, ...]]] = {
        "tracks": [("other read",)],
        "artists": [("other read", "of other read")],
        "rejected": [(1, "not_json")],
    }
    expected = {name: sorted([*rows, *others.get(name, [])]) for name, rows in changed.items()}
    assert after == {**before, **expected}
    assert after["arrived"] == [(2, True)]
    assert before != after

    lake.compact(NOON + 2 * HOUR)
    lake.compact(NOON + 3 * HOUR)
    assert answers(lake, tmp_path / "compacted again") == after
