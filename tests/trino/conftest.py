"""One Trino server for all tests, and the embedded clouds that it reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from unittest.mock import patch

import boto3
import pytest
from rich.console import Console

from cli.import_history import import_history
from cli.replay import ReplayRequest, replay
from spotify_simulator import LibraryPlan
from tests.e2e.labels import label_heard
from tests.e2e.released import store_released_plays
from tests.e2e.test_operating import passing_time, target
from tests.e2e.world import START, TIMEZONE, World, world
from tests.trino.distribution import FetchError, MissingToolError, fetch, find_java
from tests.trino.server import ServerError, TrinoServer
from tests.trino.view_descriptions import remove_descriptions_of_views

DAYS = 2
PLAN = LibraryPlan(saved_tracks=120, playlists=8, saved_albums=12, plays_per_day=30, export_days=40, timezone=TIMEZONE)
"""Small, with every oddity."""

_SERVER: pytest.StashKey[TrinoServer] = pytest.StashKey()


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Return a function that prints progress past pytest's capture."""
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")

    def print_uncaptured(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n{text}", end="", flush=True)

    return print_uncaptured


@pytest.fixture(scope="session")
def trino(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory, say: Callable[[str], None]
) -> Iterator[TrinoServer]:
    """Start a server that reads no cloud yet."""
    try:
        java = find_java()
        server = TrinoServer(java, fetch(java, say), tmp_path_factory.mktemp("trino"), say)
        with server:
            pytestconfig.stash[_SERVER] = server
            yield server
    except (MissingToolError, FetchError, ServerError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


@pytest.fixture(scope="module")
def read_world(trino: TrinoServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Yield a world of a few days, with a privacy export of the day before the last, that Trino reads.

    Every stream is read, and Spotify responds as before February 2026, when it sent more, so almost no column is empty.
    One file of `plays` is from a version with fewer columns, and objects of the first day are replayed on the second.
    """
    with world(tmp_path_factory.mktemp("cloud"), PLAN, shape="extended", every_stream=True) as made:
        store_released_plays(made)
        made.live(DAYS - 1)
        folder = tmp_path_factory.mktemp("export")
        _import_history(made, folder)
        label_heard(made, folder)
        _replay_the_first_day(made)
        made.live(DAYS)
        remove_descriptions_of_views(made)
        with trino.reading(made.cloud.server):
            yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the end of Trino's log to a failure."""
    report = yield
    server = item.config.stash.get(_SERVER, None)
    if report.failed and server is not None:
        report.sections.append((f"The end of {server.log}", server.last_lines()))
    return report


def _import_history(made: World, folder: Path) -> None:
    export = folder / "Streaming_History_Audio_2026.json"
    export.write_text(json.dumps(list(made.library.streaming_history(made.cloud.now))), encoding="utf-8")
    with patch.object(boto3, "client", made.cloud.client):
        import_history(
            [export], made.outputs["raw_bucket_name"], account_id=None, again=False, console=Console(quiet=True)
        )


def _replay_the_first_day(made: World) -> None:
    day = f"{START:%Y-%m-%d}"
    with passing_time(made):
        replay(target(made), ReplayRequest(streams="saved_tracks", since=day, until=day), console=Console(quiet=True))
