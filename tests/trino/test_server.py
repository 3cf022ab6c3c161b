"""The server's process: started, monitored and stopped, without Trino itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.pipeline.program import ROOT
from tests.trino.server import ServerError, TrinoServer, lasting_process

KILLED = """
import sys, time
from tests.trino.server import lasting_process
with lasting_process(["sleep", "600"], output=None) as process:
    print(process.pid, flush=True)
    time.sleep(600)
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        # A process that has exited remains as a zombie until its new parent reaps it.
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_the_program_ends_with_the_context(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as output, lasting_process(["sleep", "600"], output=output) as process:
        assert is_alive(process.pid)
    assert process.returncode == -signal.SIGTERM


def test_an_error_in_the_context_ends_the_program(tmp_path: Path) -> None:
    with (
        (tmp_path / "log").open("wb") as output,
        pytest.raises(KeyboardInterrupt),
        lasting_process(["sleep", "600"], output=output) as process,
    ):
        raise KeyboardInterrupt
    assert process.returncode == -signal.SIGTERM


@pytest.mark.slow
def test_the_program_ends_with_its_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", KILLED], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
    deadline = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(child)


def test_a_server_that_exits_shows_its_log(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'heap too large'; exit 1\n", encoding="utf-8")
    java.chmod(0o755)

    with (
        pytest.raises(ServerError, match=r"Trino exited.*\nheap too large"),
        TrinoServer(java, tmp_path, tmp_path, print),
    ):
        pytest.fail("It is not a server.")
