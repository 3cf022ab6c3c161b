"""What `local up` makes of its options and of what it finds, without a cloud."""

from __future__ import annotations

import dataclasses
import errno
import io
import os
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.errors import CommandError
from cli.local_cloud.folders import cloud_folder
from cli.local_cloud.reset import delete_data
from cli.local_cloud.up import UpOptions, alone, explained, run_up, settled
from cli.main import root_command
from embedded_aws import DataNotSavedError
from local.kept_cloud import DataVersionError, DeploymentError, KeptCloud, PortInUseError
from local.running_cloud import only_one
from tests.local.test_cloud_folder import RECORD

DEPLOYED = dataclasses.replace(RECORD, program="digest")


def test_a_new_cloud_gets_what_the_options_say(working: Path) -> None:
    folder = cloud_folder(None)
    assert folder.path == working / "cloud"
    record = settled(folder, UpOptions(port=5000, spotify="live", timezone="Asia/Tokyo"))
    assert (record.port, record.spotify, record.timezone, record.empty) == (5000, "live", "Asia/Tokyo", False)
    assert folder.read() == record


def test_defaults_of_a_new_cloud() -> None:
    record = settled(cloud_folder(None), UpOptions())
    assert (record.port, record.spotify, record.region) == (4599, "simulated", "eu-central-1")
    assert record.client_id != settled(cloud_folder(None), UpOptions()).client_id


def test_a_cloud_comes_back_as_it_was() -> None:
    folder = cloud_folder(None)
    folder.write(DEPLOYED)
    assert settled(folder, UpOptions()) == DEPLOYED
    assert settled(folder, UpOptions(port=4599, spotify="simulated", timezone="Europe/Berlin")) == DEPLOYED


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"port": 5000}, "was started with --port 4599, which cannot be changed: leave --port out"),
        ({"spotify": "live"}, "was started with --spotify simulated"),
        ({"timezone": "UTC"}, "was started with --timezone Europe/Berlin"),
        ({"empty": True}, "was deployed into, which cannot be changed: leave --empty out"),
    ],
)
def test_options_that_contradict_it_are_refused(options: dict[str, Any], part: str) -> None:
    folder = cloud_folder(None)
    folder.write(DEPLOYED)
    with pytest.raises(CommandError) as refused:
        settled(folder, UpOptions(**options))
    assert part in str(refused.value)
    assert str(refused.value).endswith("or delete this one with `spotify-etl local reset`.")


def test_an_interrupted_deployment_is_forgotten() -> None:
    folder = cloud_folder(None)
    folder.write(RECORD)
    folder.account.mkdir()
    assert settled(folder, UpOptions(port=5000)).port == 5000
    assert not folder.account.exists()


def test_an_empty_cloud_stays_empty() -> None:
    folder = cloud_folder(None)
    empty = settled(folder, UpOptions(empty=True))
    folder.account.mkdir()
    assert settled(folder, UpOptions()) == empty
    assert folder.account.exists()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            PortInUseError("Port 4599 of 127.0.0.1 cannot be used (Address already in use): stop it, or whatever."),
            "Port 4599 of 127.0.0.1 cannot be used (Address already in use): stop the program that uses it.",
        ),
        (
            DataVersionError("The data folder /x was written with another version: use it, or delete the folder."),
            (
                "The data folder /x was written with another version: use it, or delete the folder (with "
                "`spotify-etl local reset`)."
            ),
        ),
        (DeploymentError("No such thing."), "The program could not be deployed: No such thing."),
    ],
)
def test_what_keeps_it_from_starting_is_a_sentence(error: Exception, sentence: str) -> None:
    with pytest.raises(CommandError) as refused, explained(cloud_folder(None), is_new=False):
        raise error
    assert str(refused.value) == sentence


@pytest.mark.parametrize("is_new", [True, False])
def test_only_a_new_cloud_can_choose_another_port(is_new: bool) -> None:
    folder = cloud_folder(None)
    settled(folder, UpOptions(empty=True))
    folder.account.mkdir()
    with pytest.raises(CommandError) as refused, explained(folder, is_new=is_new):
        raise PortInUseError("Port 4599 of 127.0.0.1 cannot be used (in use): so.")
    assert ("or choose another port with --port" in str(refused.value)) == is_new
    assert folder.account.exists() != is_new, "the port would stay"


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "free some space on its disk, or choose another folder with --data."),
        (errno.EROFS, "(Read-only file system): choose another folder with --data."),
    ],
)
def test_a_disk_that_is_full_or_read_only(
    number: int, advice: str, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(CommandError) as refused:
        run_up(UpOptions(), console)
    assert str(refused.value).endswith(advice)


@pytest.mark.parametrize("text", ["{", '{"format": 99}'])
def test_a_folder_of_another_version_can_be_reset(text: str, console: Console, tmp_path: Path) -> None:
    folder = cloud_folder(tmp_path / "my data")
    folder.write(DEPLOYED)
    (folder.path / "cloud.json").write_text(text)
    with pytest.raises(CommandError) as refused:
        run_up(UpOptions(data=folder.path), console)
    assert f"delete it with `spotify-etl local reset --data '{folder.path}'`" in str(refused.value)
    delete_data(console, data=folder.path, yes=True)
    assert not folder.path.exists()


def test_a_disk_that_is_full_at_the_start_or_the_end(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_cloud: KeptCloud) -> None:
        raise DataNotSavedError("The embedded AWS cannot write to its data folder (disk full): free space on its disk.")

    monkeypatch.setattr(KeptCloud, "__enter__", fail)
    with pytest.raises(CommandError, match=r"^The embedded AWS cannot write .+: free space on its disk\.$"):
        run_up(UpOptions(), console)


def test_two_at_once(console: Console) -> None:
    with only_one(), pytest.raises(CommandError, match="A local cloud is already running, and there can be only one"):
        run_up(UpOptions(), console)


def test_a_working_folder_that_cannot_be_written_to(working: Path) -> None:
    working.write_text("a file")
    with pytest.raises(CommandError, match=r"cannot be written to \(.+\): set SPOTIFY_ETL_LOCAL_FOLDER"), alone():
        pytest.fail("started")


def test_a_folder_that_is_none_of_ours(console: Console, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    uses: tuple[Callable[[], None], ...] = (
        partial(run_up, UpOptions(data=tmp_path), console),
        partial(delete_data, console, data=tmp_path, yes=True),
    )
    for use in uses:
        with pytest.raises(
            CommandError, match=r"is not the data folder of a local cloud: choose another folder with --data\.$"
        ):
            use()
    assert (tmp_path / "thesis.txt").exists()


@pytest.mark.parametrize(("answer", "deleted"), [("y\n", True), ("YES\n", True), ("\n", False), ("no\n", False)])
def test_reset_asks(console: Console, answer: str, deleted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cloud_folder(None)
    folder.write(DEPLOYED)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    with ExitStack() as refused:
        if not deleted:
            refused.enter_context(pytest.raises(CommandError, match="Nothing was deleted: answer y, or pass --yes"))
        delete_data(console, data=None, yes=False)
    assert folder.path.exists() != deleted


def test_reset_when_nobody_answers(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud_folder(None).write(DEPLOYED)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="because nobody answered: pass --yes"):
        delete_data(console, data=None, yes=False)
    assert cloud_folder(None).exists()


def test_reset_of_nothing(console: Console, output: io.StringIO) -> None:
    delete_data(console, data=None, yes=False)
    assert output.getvalue().startswith("There is nothing to delete: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["up", "--spotify", "deezer"], "--spotify must be simulated or live"),
        (["up", "--timezone", "Nowhere"], "--timezone must be an IANA name such as Europe/Berlin, not 'Nowhere'"),
        (["up", "--timezone", "../../etc/passwd"], "--timezone must be an IANA name"),
        (["up", "--advance", "3"], "'3' is not a duration"),
        (["advance", "soon"], "'soon' is not a duration"),
        (["up", "--port", "80"], "greater than or equal to 1024"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str) -> None:
    with pytest.raises(Exception) as refused:
        root_command()(["local", *arguments], standalone_mode=False)
    assert message in refused.value.format_message()  # type: ignore[attr-defined] # typer's


def test_without_a_command_the_help_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    root_command()(["local"], standalone_mode=False)
    assert "Usage: " in capsys.readouterr().out
