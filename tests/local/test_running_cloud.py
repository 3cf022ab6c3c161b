"""Only one local cloud runs at a time, and it can be found."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from local.running_cloud import (
    FOLDER_VARIABLE,
    AlreadyRunningError,
    RunningCloud,
    is_running,
    only_one,
    working_folder,
)
from tests.pipeline.program import ROOT

CLOUD = RunningCloud(
    pid=os.getpid(),
    since="2026-11-23T07:00:00+00:00",
    data="/data",
    url="http://127.0.0.1:4599",
    region="eu-central-1",
    access_key_id="id",
    secret_access_key="secret",
    control="127.0.0.1:1",
    control_key="key",
    spotify="live",
    accounts_url="https://accounts.spotify.com/",
    outputs={},
)


def test_it_is_found_until_it_is_withdrawn(tmp_path: Path) -> None:
    assert RunningCloud.find(tmp_path) is None
    CLOUD.publish(tmp_path)
    assert RunningCloud.find(tmp_path) == CLOUD
    assert (tmp_path / "running.json").stat().st_mode & 0o77 == 0, "it has keys"
    RunningCloud.withdraw(tmp_path)
    RunningCloud.withdraw(tmp_path)
    assert RunningCloud.find(tmp_path) is None


def test_only_one_at_a_time(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with only_one(folder):
        assert is_running(folder)
        with pytest.raises(AlreadyRunningError), only_one(folder):
            pytest.fail("two at once")
    assert not is_running(folder)


def test_a_process_that_is_no_cloud_any_more_is_not_found(tmp_path: Path) -> None:
    with only_one(tmp_path):
        CLOUD.publish(tmp_path)
        assert RunningCloud.find(tmp_path) == CLOUD
    assert RunningCloud.find(tmp_path) is None, "as if the id of the killed process were ours now"


def test_looking_keeps_nobody_from_starting(tmp_path: Path) -> None:
    with only_one(tmp_path):
        pass
    with (tmp_path / "running.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        threading.Timer(0.05, lambda: fcntl.flock(lock, fcntl.LOCK_UN)).start()
        with only_one(tmp_path):
            assert is_running(tmp_path)


def test_a_killed_process_does_not_keep_others_out(tmp_path: Path) -> None:
    code = "import local.running_cloud as r, time\nwith r.only_one():\n    print('in', flush=True)\n    time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, FOLDER_VARIABLE: str(tmp_path)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"in\n"
    assert is_running(tmp_path)
    process.kill()
    process.communicate()
    assert not is_running(tmp_path)


def test_the_folder_is_in_the_project_unless_a_variable_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert working_folder() == ROOT / ".local"
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert working_folder() == tmp_path
