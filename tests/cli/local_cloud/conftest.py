"""A working folder of the test's own, and a local cloud that only pretends to run."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from local.control import Command, ControlServer
from local.running_cloud import FOLDER_VARIABLE, RunningCloud, only_one

NOW = "2026-11-23T08:00:00+00:00"
STATE = {
    "now": NOW,
    "timezone": "Europe/Berlin",
    "queues": [{"name": "objects", "waiting": 3, "in_flight": 1, "delayed": 0}],
    "functions": ["transform"],
    "coming": [
        {"name": "hourly", "at": "2026-11-23T08:20:00+00:00"},
        {"name": "daily", "at": "2026-11-24T05:00:00+00:00"},
    ],
}


@pytest.fixture(autouse=True)
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide the working folder, which does not exist yet."""
    folder = tmp_path / "working"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture
def output() -> io.StringIO:
    """Provide what was printed."""
    return io.StringIO()


@pytest.fixture
def console(output: io.StringIO) -> Console:
    """Provide a console that prints to `output`."""
    return Console(file=output, width=200)


@pytest.fixture
def pretend(tmp_path: Path) -> Iterator[Callable[[Mapping[str, Command]], RunningCloud]]:
    """Provide a function that lets a cloud seem to run, with these commands besides `status`."""
    with ControlServer(commands := dict[str, Command]()) as control, only_one():

        def start(more: Mapping[str, Command]) -> RunningCloud:
            commands.update({"status": lambda _request, _tell: STATE, **more})
            running = pretended(str(tmp_path / "data"), control.address, control.key)
            running.publish()
            return running

        yield start


def pretended(data: str, control: str, key: str) -> RunningCloud:
    """Return what a cloud would announce."""
    return RunningCloud(
        pid=os.getpid(),
        since="2026-11-23T07:00:00+00:00",
        data=data,
        url="http://127.0.0.1:4599",
        region="eu-central-1",
        access_key_id="AKIAEXAMPLE",
        secret_access_key="a/secret+'key",
        control=control,
        control_key=key,
        spotify="simulated",
        accounts_url="http://127.0.0.1:4600/",
        outputs={"glue_database_name": "spotify_local"},
    )
