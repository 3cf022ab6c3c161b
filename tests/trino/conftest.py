"""One Trino server for all tests, and the clouds that it reads."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest

from local.spotify import LibraryPlan
from tests.e2e.world import TIMEZONE, World, world
from tests.trino.distribution import FetchError, MissingToolError, fetch, find_java
from tests.trino.server import ServerError, TrinoServer

DAYS = 2
PLAN = LibraryPlan(saved_tracks=120, playlists=8, saved_albums=12, plays_per_day=30, timezone=TIMEZONE)
"""Small, with every oddity."""

_SERVER: pytest.StashKey[TrinoServer] = pytest.StashKey()


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Tell who waits what takes long, past pytest's capture."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def tell(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", end="", flush=True)

    return tell


@pytest.fixture(scope="session")
def trino(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Iterator[TrinoServer]:
    """A server that reads no cloud yet."""
    try:
        java = find_java()
        server = TrinoServer(java, fetch(java, say), tmp_path_factory.mktemp("trino"), say)
        with server:
            pytestconfig.stash[_SERVER] = server
            yield server
    except (MissingToolError, FetchError, ServerError) as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def read_world(trino: TrinoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world that lived a few days and that Trino reads.

    Spotify answers as before February 2026, when it sent more: no column is without values for that.
    """
    with world(tmp_path_factory.mktemp("cloud"), PLAN, shape="extended") as made:
        made.live(DAYS)
        _take_descriptions_off_views(made)
        with trino.reading(made.cloud.server):
            yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of Trino's log beside a failure."""
    report = yield
    server = item.config.stash.get(_SERVER, None)
    if report.failed and server is not None:
        report.sections.append((f"The end of {server.log}", server.last_lines()))
    return report


def _take_descriptions_off_views(made: World) -> None:
    """Let Trino see the views as such.

    Its Glue client takes a description for the comment, by which it tells views from materialized ones. Athena does
    not: dbt describes views there (https://github.com/dbt-labs/dbt-athena/pull/337).
    """
    glue, database = made.cloud.client("glue"), made.outputs["glue_database_name"]
    kept = ("Name", "Owner", "StorageDescriptor", "ViewOriginalText", "ViewExpandedText", "TableType", "Parameters")
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            if table.get("TableType") == "VIRTUAL_VIEW":
                glue.update_table(DatabaseName=database, TableInput={name: table[name] for name in kept})
