"""An empty lake for each test that requests one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.queries.lake import Lake
from tests.queries.player import Player


@pytest.fixture(scope="session")
def tables_and_views() -> Iterator[Lake]:
    """Create every table and every view, once."""
    with Lake() as made:
        yield made


@pytest.fixture
def lake(tables_and_views: Lake) -> Iterator[Lake]:
    """Return every view over empty tables."""
    with tables_and_views.scenario() as empty:
        yield empty


@pytest.fixture
def player(lake: Lake) -> Player:
    """Return a writer of plays into the lake."""
    return Player(lake)
