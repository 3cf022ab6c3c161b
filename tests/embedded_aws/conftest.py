"""An embedded AWS for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.client import ClientCreator

from embedded_aws.server.server import AwsServer
from tests.embedded_aws.athena_lab import Lab
from tests.embedded_aws.stage import Stage


@pytest.fixture(scope="session", autouse=True)
def client_classes_made_once() -> Iterator[None]:
    """Let botocore make the class of a service's clients once instead of for every client."""
    made: dict[str, Any] = {}
    create: Any = ClientCreator._create_client_class  # type: ignore[attr-defined] # not in the stubs

    def created(creator: ClientCreator, service: str, model: Any) -> Any:
        if service not in made:
            made[service] = create(creator, service, model)
        return made[service]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientCreator, "_create_client_class", created)
        yield


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """An empty account in eu-central-1."""
    running = AwsServer()
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def one_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """An embedded Athena for all tests of a module, which empty it."""
    with Lab(tmp_path_factory.mktemp("athena")) as running:
        yield running


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """An empty account with the engines and the simulated clock."""
    with Stage(tmp_path / "functions") as running:
        yield running
