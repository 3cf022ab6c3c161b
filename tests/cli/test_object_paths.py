"""Keys as paths below a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

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
    with pytest.raises(OutsideFolderError, match=r"leads out of /somewhere/demo, so nothing was copied"):
        path_below(FOLDER, key)
