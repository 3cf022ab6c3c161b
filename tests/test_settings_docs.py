"""What `make docs` writes of the settings: `Pulumi.yaml` and docs/settings.md."""

from __future__ import annotations

import dataclasses

import yaml

from pipeline.settings import NAMESPACE, Settings, key
from scripts.settings_docs import project_file, settings_page

FIELDS = dataclasses.fields(Settings)


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
    # A line break ends the row, and with it the table.
    assert all(row.endswith(". |") for row in rows)
    # Markdown would take a placeholder in angle brackets for a tag.
    assert not any("<" in row for row in rows)
