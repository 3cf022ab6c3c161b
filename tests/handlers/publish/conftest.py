"""A running Glue catalog and Athena, and the handler using them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handlers.publish import handler as publish
from handlers.publish.views import load
from handlers.tables import TABLES
from tests.embedded_aws.athena_lab import DATABASE, LAKE, WORKGROUP, Lab


class Publisher:
    """The handler with its environment, and the AWS calls that it made."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.calls: list[str] = []

    def run(self, **event: Any) -> dict[str, Any]:
        """Invoke the handler with an event."""
        self.calls.clear()
        context: Any = SimpleNamespace(
            function_name="publish", memory_limit_in_mb=256, invoked_function_arn="arn", aws_request_id="request"
        )
        return publish.handler(event, context)

    def record(self, params: Any, model: Any, **_: Any) -> None:
        del params
        self.calls.append(model.name)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("athena")) as running:
        yield running


@pytest.fixture
def publisher(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    for name, value in {
        "TRANSFORMED_BUCKET": LAKE,
        "GLUE_DATABASE": DATABASE,
        "ATHENA_WORKGROUP": WORKGROUP,
        "TIMEZONE": "Europe/Berlin",
        "POWERTOOLS_METRICS_NAMESPACE": "SpotifyEtl/test",
        "POWERTOOLS_SERVICE_NAME": "publish",
    }.items():
        monkeypatch.setenv(name, value)
    lab.empty()
    running = Publisher(lab)
    for service in ("glue", "athena"):
        client = lab.client(service)
        client.meta.events.register(f"before-call.{service}", running.record)
        monkeypatch.setattr(publish, f"_{service}", lambda client=client: client)
    yield running
    for service in ("glue", "athena"):
        lab.client(service).meta.events.unregister(f"before-call.{service}", running.record)


@pytest.fixture
def few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the handler know a few tables alone: to create all of them takes most of a test's time."""
    monkeypatch.setattr(publish, "TABLES", {name: TABLES[name] for name in ("albums", "artists", "plays", "tracks")})


@pytest.fixture
def views(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the project's views with an empty folder, and return it."""
    folder = tmp_path / "views"
    folder.mkdir()
    monkeypatch.setattr(load, "__defaults__", (folder,))
    return folder
