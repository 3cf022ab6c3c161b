"""A shell that runs the lines of a page as they are printed, while each program in them is run by the tests."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_STUB = """\
#!/bin/sh
{{ printf '%s\\0' "$#" "$0" "$@"; env -0; }} > '{folder}/asked.new'
mv '{folder}/asked.new' '{folder}/asked'
read -r status < '{folder}/answer'
cat '{folder}/printed'
exit "$status"
"""
"""Hands its arguments and environment to the test, and prints and ends as the test says."""
_LOOK_SECONDS = 0.005


@dataclass(frozen=True)
class Called:
    """A program as the shell started it."""

    words: tuple[str, ...]
    """The name as typed, with its folder if it has one, and the arguments."""
    environment: Mapping[str, str]


Answer = Callable[[Called], tuple[int, str]]
"""Runs what was called, and returns its exit status and what it prints on standard output."""


class ShellError(Exception):
    """The shell ended with an error, or a program was not found."""


class DocsShell:
    """Runs lines in a folder.

    Args:
        folder: the current folder of the lines, for programs in a folder below it too, such as `.venv/bin/spotify-etl`.
        programs: those that the test runs. Others are the machine's.
        answer: runs them, in the thread that calls `run`.
    """

    def __init__(self, folder: Path, programs: Iterable[str], answer: Answer) -> None:
        self._folder, self._answer = folder, answer
        self._own = folder / ".shell"
        self._path = self._own / "bin"
        self._path.mkdir(parents=True)
        os.mkfifo(self._own / "answer")
        # For reading too, so that it opens before any program reads from it.
        self._answers = os.open(self._own / "answer", os.O_RDWR)
        for program in programs:
            stub = (folder if "/" in program else self._path) / program
            stub.parent.mkdir(parents=True, exist_ok=True)
            stub.write_text(_STUB.format(folder=self._own))
            stub.chmod(0o755)

    def close(self) -> None:
        """Release the pipe."""
        os.close(self._answers)

    def run(self, lines: Sequence[str], environment: Mapping[str, str]) -> list[Called]:
        """Run lines in one shell, which ends at the first that fails; return what was called.

        Raises:
            ShellError: one failed.
        """
        called = []
        with (
            (self._own / "errors").open("w+") as errors,
            subprocess.Popen(
                ["/bin/sh", "-euc", "\n".join(lines)],
                cwd=self._folder,
                env={**environment, "PATH": f"{self._path}:/usr/bin:/bin"},
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            ) as shell,
        ):
            while shell.poll() is None:
                if (asked := self._asked()) is None:
                    time.sleep(_LOOK_SECONDS)
                    continue
                called.append(asked)
                try:
                    status, printed = self._answer(asked)
                except BaseException:
                    # With the program that waits for the answer.
                    os.killpg(shell.pid, signal.SIGKILL)
                    raise
                (self._own / "printed").write_text(printed)
                os.write(self._answers, f"{status}\n".encode())
            if shell.returncode:
                errors.seek(0)
                last = " ".join(called[-1].words) if called else "nothing"
                raise ShellError(f"status {shell.returncode} after {last}: {errors.read()}")
        return called

    def _asked(self) -> Called | None:
        file = self._own / "asked"
        try:
            fields = file.read_text().split("\0")
        except FileNotFoundError:
            return None
        file.unlink()
        count = int(fields[0]) + 1
        name = fields[1].removeprefix(f"{self._path}/")
        variables = [each.partition("=") for each in fields[count + 1 :] if each]
        return Called((name, *fields[2 : count + 1]), {key: value for key, _, value in variables})
