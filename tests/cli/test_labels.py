"""The `labels` command: what it stores, and what it says."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from cli.errors import CommandError
from cli.labels import import_labels
from cli.targets import Target
from tests.cli.import_stage import ACCOUNT, BUCKET, ImportStage

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@pytest.fixture(name="run")
def fixture_run(s3: S3Client, tmp_path: Path) -> Callable[..., str]:
    """Return a function that imports a CSV and returns what is printed."""
    target = Target("the local cloud", {"raw_bucket_name": BUCKET}, lambda _: s3)

    def run(text: str, account_id: str = "") -> str:
        path = tmp_path / "labels.csv"
        path.write_text(text, encoding="utf-8")
        printed = io.StringIO()
        import_labels(path, target, account_id=account_id, console=Console(file=printed, width=200))
        return printed.getvalue()

    return run


def test_labels_are_a_complete_read_of_their_stream(stage: ImportStage, run: Callable[..., str]) -> None:
    printed = run("subject,label,excluded\nABBA,party,\nspotify:track:1,,yes\n")

    (key,) = stage.keys("raw/")
    assert [line["record"] for line in stage.lines(key)] == [
        {"subject": "abba", "label": "party", "excluded": False},
        {"subject": "spotify:track:1", "label": None, "excluded": True},
    ]
    (manifest,) = stage.manifests()
    (unit,) = manifest["units"]
    assert (manifest["trigger"], manifest["account_id"], manifest["status"]) == ("import", ACCOUNT, "complete")
    assert (unit["stream"], unit["read_complete"], unit["read_keys"], unit["read_records"]) == (
        "labels",
        True,
        [key],
        2,
    )
    assert printed.startswith(
        "Using the local cloud.\nImported 2 labels, 1 of them exclusions. They replace all earlier"
    )


def test_a_file_without_labels_replaces_those_before(stage: ImportStage, run: Callable[..., str]) -> None:
    assert "The file has no labels." in run("subject\n", account_id="bo")

    (key,) = stage.keys("raw/")
    assert [line["record"] for line in stage.lines(key)] == [{"subject": "", "label": None, "excluded": False}]
    assert stage.manifests()[0]["account_id"] == "bo"


def test_nothing_is_stored_of_a_file_with_an_error(stage: ImportStage, run: Callable[..., str]) -> None:
    with pytest.raises(CommandError, match=r"Row 3 of .*labels\.csv"):
        run("subject,excluded\nAbba,yes\nBeck,perhaps\n")

    assert stage.keys("raw/") == stage.keys("runs/") == []
