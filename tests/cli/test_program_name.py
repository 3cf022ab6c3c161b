"""The commands that the program suggests can be pasted, however it was called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cli.program_name import in_help, in_sentence, lasting_command, program_name
from local.running_cloud import FOLDER_VARIABLE
from tests.pipeline.program import ROOT

SCRIPT = Path(sys.executable).with_name("spotify-etl")


@pytest.fixture(name="scripts")
def fixture_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a folder of scripts as a virtual environment has it, off the path, below the current folder."""
    folder = tmp_path / "my project/bin"
    folder.mkdir(parents=True)
    shutil.copy(SCRIPT, folder)
    monkeypatch.chdir(tmp_path / "my project")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return folder


def test_a_script_off_the_path_is_named_as_it_was_typed(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bin/spotify-etl", "query"])
    assert program_name() == "bin/spotify-etl"
    monkeypatch.setattr(sys, "argv", [str(scripts / "spotify-etl"), "query"])
    assert program_name() == f"'{scripts}/spotify-etl'"


def test_a_script_on_the_path_has_its_bare_name(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{scripts}:/usr/bin")
    monkeypatch.setattr(sys, "argv", [str(scripts / "spotify-etl"), "query"])
    assert program_name() == "spotify-etl"


@pytest.mark.usefixtures("scripts")
def test_another_one_on_the_path_is_not_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{SCRIPT.parent}:/usr/bin")
    monkeypatch.setattr(sys, "argv", ["bin/spotify-etl", "query"])
    assert program_name() == "bin/spotify-etl"


def test_a_module_is_named_by_the_script_beside_its_python(scripts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(ROOT / "cli/__main__.py"), "demo"])
    monkeypatch.setattr(sys, "executable", str(scripts / "python"))
    assert program_name() == "bin/spotify-etl"
    (scripts / "spotify-etl").unlink()
    assert program_name() == f"'{scripts}/python' -m cli"


@pytest.mark.usefixtures("scripts")
def test_only_commands_are_renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bin/spotify-etl", "query"])
    assert (
        in_sentence("run `spotify-etl login`, see `spotify-etl`")
        == "run `bin/spotify-etl login`, see `bin/spotify-etl`"
    )
    for other in ("Secret spotify-etl-login", "`spotify-etl-raw-1`", "spotify-etl demo", "`.venv/bin/spotify-etl x`"):
        assert in_sentence(other) == other
    assert in_help('eval "$(spotify-etl local env)"') == 'eval "$(bin/spotify-etl local env)"'
    assert in_help("my/spotify-etl x, spotify-etl-raw") == "my/spotify-etl x, spotify-etl-raw"


@pytest.mark.slow
def test_a_command_that_is_read_later_works_in_any_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", lasting_command("login --help")], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "--calendar" in done.stdout


def test_the_command_that_errors_suggest_can_be_started() -> None:
    assert os.access(SCRIPT, os.X_OK)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [pytest.param([str(SCRIPT)], id="script"), pytest.param([sys.executable, "-m", "cli"], id="module")]
)
def test_what_an_error_suggests_can_be_pasted(command: list[str], tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), FOLDER_VARIABLE: str(tmp_path / "none")}
    refused = subprocess.run(
        [*command, "query", "--local"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert refused.stderr == f"No local cloud is running: start one with `{SCRIPT} local up`.\n"
    suggested = refused.stderr.split("`")[1]
    done = subprocess.run(
        ["/bin/sh", "-c", f"{suggested} --help"],
        cwd=tmp_path,
        env=environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"{SCRIPT} local up --advance 3d" in done.stdout, "the examples in the help"


@pytest.mark.slow
def test_wrong_usage_names_the_help_as_it_can_be_called(tmp_path: Path) -> None:
    wrong = subprocess.run(
        [str(SCRIPT), "query", "--nothing"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (wrong.returncode, wrong.stderr) == (2, f"No such option: --nothing. See `{SCRIPT} query --help`.\n")
