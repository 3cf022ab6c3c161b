"""An import that is followed: what is waited for, and what is shown in the end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.athena_queries import QueryResult
from cli.followed_import import run_import
from cli.targets import Target
from tests.cli.import_stage import BUCKET, ImportStage
from tests.cli.privacy_exports import audio_file, plays

OUTPUTS = {"raw_bucket_name": BUCKET, "glue_database_name": "spotify_dev", "athena_workgroup_name": "spotify-etl-dev"}


@pytest.fixture
def followed(stage: ImportStage, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Records what is followed, without a pipeline behind the bucket."""
    seen: dict[str, Any] = {"keys": [], "crawls": 0, "sql": []}

    def transform(_target: Target, keys: tuple[str, ...], _result: object) -> None:
        seen["keys"] += keys

    def crawl(*_: object) -> None:
        seen["crawls"] += 1

    def answer(_athena: object, sql: str, **_: str) -> QueryResult:
        seen["sql"].append(sql)
        return QueryResult(("year", "plays"), (("2020", "3"),), 0.1)

    target = Target("the stack dev in eu-north-1", OUTPUTS, lambda _: stage.s3)
    monkeypatch.setattr("cli.followed_import.find_target", lambda *_, **__: target)
    monkeypatch.setattr("cli.followed_import.follow_transform", transform)
    monkeypatch.setattr("cli.followed_import.follow_crawl", crawl)
    monkeypatch.setattr("cli.followed_import.run_query", answer)
    return seen


def run(*paths: Path, follow: bool = True, account_id: str | None = None) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    run_import(paths, account_id=account_id, again=False, follow=follow, stack="dev", local=False, console=console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_every_object_is_waited_for_then_crawled_then_counted(
    followed: dict[str, Any], stage: ImportStage, tmp_path: Path
) -> None:
    lines = run(
        audio_file(tmp_path, "2020", plays(0, 3)), audio_file(tmp_path, "2021", plays(3, 4)), account_id="O'Neil"
    )
    assert lines[0] == "Using the stack dev in eu-north-1."
    assert sorted(followed["keys"]) == [*stage.keys("raw/"), *stage.keys("runs/")]
    assert len(followed["keys"]) == 3
    assert followed["crawls"] == 1
    assert "WHERE account_id = 'O''Neil'" in followed["sql"][0]
    assert "│ 2020 │     3 │" in lines


def test_nothing_new_is_not_followed(followed: dict[str, Any], tmp_path: Path) -> None:
    path = audio_file(tmp_path, "2020", plays(0, 3))
    run(path)
    assert run(path)[-1] == "All files have already been imported; nothing new was stored."
    assert followed["crawls"] == 1


def test_without_following_it_says_when_the_plays_come(followed: dict[str, Any], tmp_path: Path) -> None:
    lines = run(audio_file(tmp_path, "2020", plays(0, 3)), follow=False)
    assert (
        lines[-1]
        == "The plays will be in `plays` within minutes; Athena sees those of new months after the next crawl."
    )
    assert followed == {"keys": [], "crawls": 0, "sql": []}
