"""Keys as paths below a folder."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.errors import CommandError
from cli.lake import download_tables
from cli.object_paths import OutsideFolderError, path_below

FOLDER = Path("/somewhere/demo")


@pytest.mark.parametrize(
    "key",
    ["tables/plays/month=2026-11/a.parquet", "a", "tables/...", "tables/..a/b..", "tables/at 12:30/a", "tables/~/ü"],
)
def test_a_key_is_a_path_below_the_folder(key: str) -> None:
    path = path_below(FOLDER, key)
    assert path == FOLDER / key
    assert path.resolve().is_relative_to(FOLDER)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "//host/share",
        "..",
        "../a",
        "tables/../../a",
        "tables/..",
        "tables/./a",
        "tables//a",
        "tables/",
        "tables\\..\\..\\a",
        "C:/a",
        "C:a",
        "tables/a\0",
    ],
)
def test_a_key_that_leads_out_of_the_folder_is_refused(key: str) -> None:
    with pytest.raises(OutsideFolderError, match=r"leads outside /somewhere/demo, so nothing was copied"):
        path_below(FOLDER, key)


class Objects:
    """An S3 client with a bucket in which each object contains its key."""

    def __init__(self, keys: list[str]) -> None:
        self._keys = keys

    def get_paginator(self, _: str) -> Objects:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"Contents": [{"Key": key} for key in self._keys]}]

    def get_object(self, *, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        return {"Body": io.BytesIO(Key.encode())}


class Changing(Objects):
    """Objects of which a part is replaced by another before it can be read."""

    def __init__(self, *versions: list[str]) -> None:
        super().__init__(versions[0])
        self._versions = list(versions)
        self.exceptions = SimpleNamespace(NoSuchKey=KeyError)

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        listed = self._versions[0]
        if len(self._versions) > 1:
            del self._versions[0]
        return [{"Contents": [{"Key": key} for key in listed]}]

    def get_object(self, *, Key: str, **_: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if Key not in self._versions[0]:
            raise self.exceptions.NoSuchKey
        return super().get_object(Key=Key)


def test_tables_that_are_compacted_meanwhile_are_downloaded_as_they_are_then(tmp_path: Path) -> None:
    first, second = (f"tables/plays/month=2026-11/{name}.parquet" for name in ("a", "compacted-0"))
    kept = "tables/tracks/dt=2026-11-01/a.parquet"
    download_tables(Changing([first, kept], [second, kept]), "bucket", tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet")) == [second, kept]


def test_tables_that_keep_changing_are_one_sentence(tmp_path: Path) -> None:
    versions = [[f"tables/plays/month=2026-11/{number}.parquet"] for number in range(9)]
    with pytest.raises(CommandError, match=r"^Objects of the tables keep vanishing while they are copied: run the"):
        download_tables(Changing(*versions), "bucket", tmp_path)


def test_tables_are_downloaded_into_their_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    kept = "tables/plays/month=2026-11/a.parquet"
    assert download_tables(Objects([kept]), "bucket", folder) == folder / "tables"
    assert (folder / kept).read_text() == kept

    for key in ("tables/../../../evil", f"{tmp_path}/evil"):
        with pytest.raises(OutsideFolderError):
            download_tables(Objects(["tables/plays/new", key]), "bucket", folder)

    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()] == [Path("demo", kept)]
