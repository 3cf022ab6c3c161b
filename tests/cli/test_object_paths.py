"""Keys as paths below a folder."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

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
