"""The command `spotify-etl local` as a process, in a working folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local.running_cloud import FOLDER_VARIABLE, RunningCloud
from tests.pipeline.program import ROOT

_START_SECONDS = 240
"""A start may take long on a busy machine."""


class LocalCommands:
    """Runs commands in a working folder.

    Args:
        working: the folder.
    """

    def __init__(self, working: Path) -> None:
        self.working = working
        self.port = free_ports()

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self._command(arguments),
            cwd=ROOT,
            env=self._environment(),
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def done(self, *arguments: str) -> str:
        """Run a command that succeeds, and return what it printed."""
        completed = self.run(*arguments)
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    def refused(self, *arguments: str) -> str:
        """Run a command that fails, and return its sentence."""
        completed = self.run(*arguments)
        assert completed.returncode == 1, completed.stdout + completed.stderr
        assert completed.stderr.count("\n") == 1, completed.stderr
        # Whoever runs the tests may have the script on the path.
        return completed.stderr.strip().replace("`.venv/bin/spotify-etl ", "`spotify-etl ")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a cloud in the foreground, and return once it is ready."""
        process = self.begin(*arguments)
        deadline = time.monotonic() + _START_SECONDS
        while (running := RunningCloud.find(self.working)) is None or running.pid != process.pid:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline, "it does not start"
            time.sleep(0.1)
        return process

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a cloud in the foreground, and do not wait."""
        return subprocess.Popen(
            self._command(("up", *arguments)),
            cwd=ROOT,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def running(self) -> RunningCloud:
        """The cloud that is running."""
        found = RunningCloud.find(self.working)
        assert found is not None
        return found

    def client(self, service: str) -> Any:
        """Return a boto3 client as any tool would have it."""
        running = self.running
        return boto3.client(
            service,  # type: ignore[call-overload] # the stubs have a literal type for service names
            region_name=running.region,
            endpoint_url=running.url,
            aws_access_key_id=running.access_key_id,
            aws_secret_access_key=running.secret_access_key,
            config=Config(proxies={}, retries={"total_max_attempts": 1}),
        )

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "cli", "local", *arguments]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, FOLDER_VARIABLE: str(self.working), "TZ": "Europe/Berlin", "COLUMNS": "200"}


@contextmanager
def local_commands(working: Path) -> Iterator[LocalCommands]:
    """Provide the commands of a working folder in this context, at whose end no cloud is left running."""
    yield LocalCommands(working)
    if (left := RunningCloud.find(working)) is not None:
        os.kill(left.pid, signal.SIGKILL)


def free_ports() -> int:
    """Return the first of two free ports in a row, which no system hands out by itself."""
    for port in range(20_000 + os.getpid() % 5000, 32_000, 2):
        try:
            with socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", port + 1)):
                return port
        except OSError:
            continue
    raise AssertionError("no free port")
