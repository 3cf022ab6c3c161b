"""`Pulumi.yaml` and docs/settings.md are what `make docs` generates from the settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from pipeline.settings import NAMESPACE, Settings, key
from scripts.settings_docs import ROOT, pages, project_file, settings_page, write

FIELDS = dataclasses.fields(Settings)


@pytest.mark.parametrize("path", list(pages()), ids=str)
def test_file_is_what_make_docs_writes(path: Path) -> None:
    current = (ROOT / path).is_file() and (ROOT / path).read_text(encoding="utf-8") == pages()[path]

    assert current, f"{path} is stale: run `make docs`."


def test_files_are_written_where_they_belong(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    write(tmp_path)

    assert {path: (tmp_path / path).read_text(encoding="utf-8") for path in pages()} == pages()


def test_pulumi_reads_every_setting_from_the_project_file() -> None:
    project = yaml.safe_load(project_file())

    assert project["name"] == NAMESPACE
    assert list(project["config"]) == [key(each) for each in FIELDS]
    for each in FIELDS:
        entry = project["config"][key(each)]
        is_array = each.metadata["rule"].type == "array"
        assert entry["type"] == each.metadata["rule"].type
        assert entry.get("items") == ({"type": "string"} if is_array else None)
        assert entry["default"] == ([] if is_array else each.default)
        assert entry["description"].endswith(".")


def test_page_has_a_row_for_every_setting() -> None:
    rows = [line for line in settings_page().splitlines() if line.startswith("| `")]

    assert [row.split("`")[1] for row in rows] == [key(each) for each in FIELDS]
    # Markdown would take a placeholder in angle brackets for a tag.
    assert not any("<" in row for row in rows)
