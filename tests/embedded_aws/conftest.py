"""An embedded AWS for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded_aws.server.server import AwsServer
from tests.embedded_aws.stage import Stage


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """An empty account in eu-central-1."""
    running = AwsServer()
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An empty account with the engines and the simulated clock."""
    with Stage(tmp_path / "functions") as running:
        yield running
