"""An embedded AWS for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.aws.server import AwsServer


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """An empty account in eu-central-1."""
    running = AwsServer()
    running.start()
    try:
        yield running
    finally:
        running.stop()
