"""A process with a kept account is killed at random moments: nothing that was answered is lost."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIVES = 20


def command(folder: Path, life: int, mode: str) -> list[str]:
    files = [str(folder / "data"), str(folder / "journal")]
    return [sys.executable, "-m", "tests.embedded_aws.killed_worker", *files, str(life), mode]


@pytest.mark.slow
def test_nothing_answered_is_lost_however_often_it_is_killed(tmp_path: Path) -> None:
    moments = random.Random(16)  # noqa: S311 - moments of a test
    worked = 0
    for life in range(LIVES):
        process = subprocess.Popen(
            command(tmp_path, life, "work"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        # Most are killed at work, some while they start and check.
        if life % 5 == 4:
            time.sleep(moments.uniform(1, 3))
        elif process.stdout.readline() == "working\n":
            worked += 1
            time.sleep(moments.uniform(0.2, 2.5))
        process.kill()
        _, errors = process.communicate()
        assert "Error" not in errors, errors
    assert worked == LIVES - LIVES // 5
    ended = subprocess.run(
        command(tmp_path, LIVES, "check"), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    said, answered, _ = ended.stdout.rsplit(maxsplit=2)
    assert said == "nothing lost"
    assert int(answered) > 20 * LIVES
