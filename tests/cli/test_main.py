"""Errors that no command expects."""

from __future__ import annotations

import errno
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

from cli.errors import CommandError
from cli.main import main


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("cli.import_history.inspect_history", broken)
    monkeypatch.setattr(sys, "argv", ["spotify-etl", "import-history", "a", "--dry-run"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1


def test_the_traceback_is_kept_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fail(monkeypatch, ValueError("half a letter: \ud83d"))
    (kept,) = tmp_path.iterdir()
    assert capsys.readouterr().err == f"An unexpected error occurred; see {kept} for details. Please report it.\n"
    assert "ValueError: half a letter: \\ud83d" in kept.read_text()
    assert kept.stat().st_mode & 0o077 == 0


def test_neither_the_kept_traceback_nor_a_sentence_controls_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    fail(monkeypatch, ValueError("cleared \x1b[2J by \u202e"))
    (kept,) = tmp_path.iterdir()
    assert "ValueError: cleared ␛[2J by \\u202e\n" in kept.read_text()
    capsys.readouterr()
    fail(monkeypatch, CommandError("gone/\x1b[2J\n\u202e is gone."))
    assert capsys.readouterr().err == "gone/␛[2J␊\\u202e is gone.\n"


def test_where_no_file_can_be_written_the_error_itself_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    fail(monkeypatch, ValueError("odd"))
    assert capsys.readouterr().err == (
        "An unexpected error occurred; no log file could be written, and the error was "
        "ValueError('odd'). Please report it.\n"
    )


def test_version_is_the_packages_own(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["spotify-etl", "--version"])
    main()
    assert capsys.readouterr().out == f"spotify-etl {version('spotify-etl')}\n"


def test_shells_complete_the_commands(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["spotify-etl"])
    monkeypatch.setenv("_SPOTIFY_ETL_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "spotify-etl import")
    monkeypatch.setenv("COMP_CWORD", "1")
    with pytest.raises(SystemExit, match=r"^0$"):
        main()
    assert capsys.readouterr().out.split() == ["import-history"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            OSError(errno.ENOSPC, "No space left", "/data"),
            "The disk of /data is full: free some space and run it again.",
        ),
        (OSError(errno.EROFS, "Read-only", "/data"), "/data is on a read-only disk: choose another folder."),
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
            "No folder for temporary files can be written to: free some space, or set TMPDIR to another folder.",
        ),
    ],
)
def test_a_disk_that_cannot_be_written_to_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: OSError, sentence: str
) -> None:
    fail(monkeypatch, error)
    assert capsys.readouterr().err == f"{sentence}\n"
