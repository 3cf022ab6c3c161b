"""The two processes of `make test`: together they have every test, and either can fail it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests import halves
from tests.thoroughness import sampled

ROOT = Path(__file__).parents[1]


def printing(text: str, code: int) -> list[str]:
    return [sys.executable, "-c", f"print({text!r}, flush=True); raise SystemExit({code})"]


def test_what_one_process_has_the_other_leaves_out() -> None:
    first, second = halves.commands(["-q"])
    assert "-q" in first
    assert "-q" in second
    assert first[-len(halves.FIRST) :] == list(halves.FIRST)
    assert second[-1 - len(halves.FIRST) :] == ["tests", *(f"--ignore={folder}" for folder in halves.FIRST)]
    assert all((ROOT / folder).is_dir() for folder in halves.FIRST)


@pytest.mark.parametrize(("codes", "expected"), [((0, 0), 0), ((1, 0), 1), ((0, 2), 2)])
def test_either_process_fails_the_tests_and_both_are_shown(
    codes: tuple[int, int], expected: int, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert halves.run_both(printing("first", codes[0]), printing("second", codes[1])) == expected
    assert capfdbinary.readouterr().out == b"first\nsecond\n"


@pytest.mark.parametrize(("body", "code"), sampled([("assert False", 1), ("assert True", 0)]))
def test_the_process_ends_with_pytests_result(body: str, code: int, tmp_path: Path) -> None:
    file = tmp_path / "test_made_up.py"
    file.write_text(f"def test_made_up():\n    {body}\n")
    done = subprocess.run(
        [sys.executable, "-m", "tests.pytest_process", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert ("1 passed" in done.stdout) == (code == 0)
