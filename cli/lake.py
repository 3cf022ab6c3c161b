"""A copy of the lake on this machine: its Parquet files, and a DuckDB file with every table, view and named query."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.athena_queries import named_queries
from cli.duckdb_file import write_duckdb_file
from cli.errors import CommandError
from cli.object_paths import path_below
from handlers.layout import TABLES_PREFIX
from handlers.tables import TABLES

DATABASE_FILE = "spotify.duckdb"

_VIEW_START, _VIEW_END = "/* Presto View: ", " */"

_LISTINGS = 5
"""How often the objects are listed at most, because some vanish while they are copied."""
_DOWNLOADS = 8
"""Files at a time; one request after another would take minutes for thousands of small files."""

ClientFactory = Callable[[str], Any]
"""Makes a boto3 client of a service."""


@dataclass(frozen=True)
class SavedLake:
    """What was saved."""

    tables: Path
    """Folder of the tables' Parquet files."""
    files: int
    """How many Parquet files there are."""
    database: Path
    """The DuckDB file."""


def save_lake(
    client: ClientFactory,
    outputs: Mapping[str, Any],
    folder: Path,
    *,
    on_progress: Callable[[str], None] = lambda _: None,
) -> SavedLake:
    """Save the lake of a stack; earlier tables, then the earlier database, are replaced once the new ones are complete.

    Args:
        client: of the stack's account and region.
        outputs: of the stack.
        folder: an existing folder.
        on_progress: receives what is being done.

    Raises:
        CommandError: a file cannot be written, or the views have not been created yet.
    """
    views = stored_views(client("glue"), outputs["glue_database_name"])
    if not views:
        raise CommandError("The stack has no views yet: crawl its tables first, which creates them.")
    tables = download_tables(client("s3"), outputs["transformed_bucket_name"], folder, on_progress=on_progress)
    on_progress(f"writing {DATABASE_FILE}")
    files = {name: sorted((tables / name).rglob("*.parquet")) for name in TABLES}
    queries = named_queries(client("athena"), outputs["named_queries"])
    database = folder / DATABASE_FILE
    write_duckdb_file(
        database,
        files,
        views=views,
        queries={name: query["QueryString"] for name, query in queries.items()},
    )
    return SavedLake(tables, sum(map(len, files.values())), database)


def download_tables(s3: Any, bucket: str, folder: Path, *, on_progress: Callable[[str], None] = lambda _: None) -> Path:
    """Download the tables' Parquet files; earlier ones are replaced once the new ones are complete.

    Returns:
        The folder `tables` below the given one.

    Raises:
        CommandError: a file cannot be written, a key names a place outside the folder, or objects keep vanishing.
    """
    tables = folder / TABLES_PREFIX
    try:
        _replace_tables(s3, bucket, folder, tables, on_progress)
    except OSError as error:
        raise CommandError(
            f"Cannot write to {folder} ({error.strerror}): free some space or choose another folder."
        ) from error
    return tables


def _replace_tables(s3: Any, bucket: str, folder: Path, tables: Path, on_progress: Callable[[str], None]) -> None:
    # A temporary folder can be read by the user alone, which suits a history; so can what is renamed out of it.
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        new = Path(aside) / TABLES_PREFIX
        new.mkdir(mode=0o700)
        _download(s3, bucket, Path(aside), on_progress)
        if tables.exists():
            tables.rename(Path(aside) / "earlier")
        new.rename(tables)


def _download(s3: Any, bucket: str, folder: Path, on_progress: Callable[[str], None]) -> None:
    """Download the tables as they are at one moment: compaction, expiry or a purge may delete objects meanwhile."""
    there: dict[str, Path] = {}

    def download(key: str) -> bool:
        path = path_below(folder, key)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            return False
        there[key] = path
        return True

    for _ in range(_LISTINGS):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=TABLES_PREFIX)
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        for gone in there.keys() - set(keys):
            there.pop(gone).unlink()
        missing = [key for key in keys if key not in there]
        whole = True
        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            for number, found in enumerate(pool.map(download, missing), start=1):
                whole = whole and found
                on_progress(f"{number:,} of {len(missing):,} files")
        if whole:
            return
    raise CommandError("Objects of the tables keep vanishing while they are copied: run the command again in an hour.")


def stored_views(glue: Any, database: str) -> dict[str, str]:
    """Return the SQL of the views of a Glue database by name.

    Athena keeps a view as base64 of JSON in a comment, as Trino's Hive connector does:
    https://github.com/trinodb/trino/blob/master/plugin/trino-hive/src/main/java/io/trino/plugin/hive/ViewReaderUtil.java.
    """
    views: dict[str, str] = {}
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            text = table.get("ViewOriginalText") or ""
            if text.startswith(_VIEW_START) and text.endswith(_VIEW_END):
                definition = json.loads(base64.b64decode(text[len(_VIEW_START) : -len(_VIEW_END)]))
                views[table["Name"]] = definition["originalSql"]
    return views
