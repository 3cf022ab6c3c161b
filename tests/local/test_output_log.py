from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from local.cloud_folder import CloudFolder
from local.output_log import LOG_BYTES, earlier_log, set_aside
from tests.pipeline.program import ROOT

WRITER = """
import sys
from pathlib import Path
from local.output_log import rotate_output
for number in range(10):
    rotate_output(Path(sys.argv[1]), limit=100)
    print(f"line {number} {'x' * 30}")
print("the last words", file=sys.stderr)
"""


def test_output_goes_on_in_a_new_log_and_one_earlier_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    with log.open("ab") as output:
        subprocess.run(
            [sys.executable, "-c", WRITER, str(log)], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=True
        )
    assert [line.split(" x")[0] for line in earlier_log(log).read_text().splitlines()] == ["line 6", "line 7", "line 8"]
    assert sorted(line.split(" x")[0] for line in log.read_text().splitlines()) == ["line 9", "the last words"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.txt", "log.txt.1"]


def test_output_elsewhere_is_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("x" * 200)
    done = subprocess.run(
        [sys.executable, "-c", WRITER, str(log)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\n") == 10
    assert [path.name for path in tmp_path.iterdir()] == ["log.txt"]


def test_a_start_in_the_background_begins_with_a_log_that_has_room(tmp_path: Path) -> None:
    folder = CloudFolder(tmp_path / "cloud")
    assert not set_aside(folder.log)
    folder.path.mkdir()
    folder.log.write_bytes(b"x" * LOG_BYTES)
    with folder.open_log() as log:
        assert log.tell() == 0
    assert earlier_log(folder.log).stat().st_size == LOG_BYTES
    assert folder.read() is None
    folder.delete()
    assert not folder.path.exists()
