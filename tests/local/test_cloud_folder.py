"""The data folder of a local cloud, and what else may be in its place."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from local.cloud_folder import CloudFolder, CloudFolderError, CloudRecord

RECORD = CloudRecord(
    region="eu-central-1",
    port=4599,
    spotify="simulated",
    empty=False,
    timezone="Europe/Berlin",
    seed=1,
    start="2026-11-23T08:00:00+00:00",
    client_id="id",
    client_secret="secret",
    outputs={"named_queries": {"one": "1"}},
)


@pytest.fixture
def folder(tmp_path: Path) -> CloudFolder:
    return CloudFolder(tmp_path / "new" / "data")


def test_what_is_written_is_read(folder: CloudFolder) -> None:
    assert folder.read() is None
    assert not folder.path.exists(), "reading creates nothing"
    folder.write(RECORD)
    assert folder.read() == RECORD
    deployed = dataclasses.replace(RECORD, program="digest")
    folder.write(deployed)
    assert CloudFolder(folder.path).read() == deployed
    assert (folder.path / "cloud.json").stat().st_mode & 0o77 == 0, "it has a secret"
    assert folder.path.stat().st_mode & 0o77 == 0


def test_files_of_somebody_else_are_left_alone(folder: CloudFolder) -> None:
    folder.path.mkdir(parents=True)
    (folder.path / "thesis.txt").write_text("mine")
    for use in (folder.read, folder.exists):
        with pytest.raises(CloudFolderError, match="holds other files and is not the data folder of a local cloud"):
            use()
    folder.write(RECORD)
    folder.delete()
    assert [one.name for one in folder.path.iterdir()] == ["thesis.txt"]


def test_another_version(folder: CloudFolder) -> None:
    folder.write(RECORD)
    (folder.path / "cloud.json").write_text(json.dumps({"format": 2, "everything": "new"}))
    with pytest.raises(CloudFolderError, match="Another version of spotify-etl wrote the data folder"):
        folder.read()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "port": 1, "more": 2}'])
def test_a_damaged_record(folder: CloudFolder, text: str) -> None:
    folder.write(RECORD)
    (folder.path / "cloud.json").write_text(text)
    with pytest.raises(CloudFolderError, match=r"cloud.json is damaged"):
        folder.read()


def test_a_file_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    folder = CloudFolder(tmp_path / "data")
    uses: tuple[Callable[[], object], ...] = (folder.read, partial(folder.write, RECORD), folder.open_log)
    for use in uses:
        with pytest.raises(CloudFolderError, match=r"cannot be used \(.+\)"):
            use()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written(folder: CloudFolder, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(CloudFolderError, match=os.strerror(number)):
        folder.write(RECORD)


def test_everything_of_a_cloud_is_deleted(folder: CloudFolder) -> None:
    folder.write(RECORD)
    for part in (folder.account / "contents", folder.work / "functions"):
        part.mkdir(parents=True)
    (folder.account / "contents" / "file").write_text("x")
    with folder.open_log() as log:
        log.write(b"line\n")
    assert folder.exists()
    folder.clear_work()
    assert folder.account.exists()
    assert not folder.work.exists()
    folder.delete()
    assert not folder.path.exists()
    assert not folder.exists()


def test_a_link_is_deleted_and_not_what_it_leads_to(folder: CloudFolder, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x")
    folder.write(RECORD)
    folder.account.symlink_to(elsewhere)
    folder.delete()
    assert (elsewhere / "file").exists()
