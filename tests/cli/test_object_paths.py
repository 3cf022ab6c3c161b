"""Keys as paths below a folder."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from rich.console import Console

from cli.demo import _Demo
from cli.object_paths import OutsideFolderError, path_below
from cli.presentation import Steps

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


def save_tables(folder: Path, keys: list[str]) -> None:
    cloud, library = MagicMock(), MagicMock()
    cloud.client.return_value = Objects(keys)
    demo = _Demo(cloud, library, Steps(Console(file=io.StringIO())), days=1)
    demo._outputs = {"transformed_bucket_name": "bucket"}
    demo.save_tables(folder)


def test_the_demo_keeps_tables_in_its_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    kept = "tables/plays/month=2026-11/a.parquet"
    save_tables(folder, [kept])
    assert (folder / kept).read_text() == kept

    for key in ("tables/../../../evil", f"{tmp_path}/evil"):
        with pytest.raises(OutsideFolderError):
            save_tables(folder, ["tables/plays/new", key])

    assert [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()] == [Path("demo", kept)]
