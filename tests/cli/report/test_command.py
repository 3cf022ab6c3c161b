"""What `spotify-etl report` refuses, each in one sentence."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cli.errors import CommandError
from cli.report.command import run_report, show
from cli.report.report import ReportRequest
from cli.targets import Target


def report(*paths: Path, **options: Any) -> str:
    console = Console(file=io.StringIO(), width=200)
    request = {name: options.pop(name) for name in ("year", "card", "account_id") if name in options}
    run_report(
        paths,
        ReportRequest(path=options.pop("out", Path("never.html")), **request),
        stack=options.pop("stack", ""),
        local=options.pop("local", False),
        timezone=options.pop("timezone", ""),
        open_browser=False,
        console=console,
    )
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_stack_and_file_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^Pass either --stack or a file: a report is made from one of them\.$"):
        report(tmp_path / "spotify.duckdb", stack="dev")


def test_wrong_name_of_a_card_is_reported_before_any_query(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^A card is an image, so --card must end with \.svg or \.png\.$"):
        report(tmp_path / "missing.duckdb", card=tmp_path / "card.gif")


def test_file_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        CommandError, match=r"^Cannot read .*missing\.duckdb \(.*\): pass the spotify\.duckdb of a demo\.$"
    ):
        report(tmp_path / "missing.duckdb")


def test_saved_lake_is_passed_alone(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"a\.duckdb is a saved lake: pass it alone, or only the files of a privacy"):
        report(tmp_path / "a.duckdb", tmp_path / "b.duckdb", out=tmp_path / "report.html")


def test_folder_of_a_demo_stands_for_its_file(tmp_path: Path) -> None:
    (tmp_path / "spotify.duckdb").write_bytes(b"this is no database")
    with pytest.raises(CommandError, match=r"^Cannot read .*spotify\.duckdb \("):
        report(tmp_path, out=tmp_path / "report.html")


def test_missing_folder_is_reported_before_any_query(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^There is no folder .*/gone for report\.html: create it, or"):
        report(tmp_path / "missing.duckdb", out=tmp_path / "gone/report.html")


def test_time_zone_belongs_to_an_export(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^--timezone is only for a privacy export: "):
        report(tmp_path / "spotify.duckdb", timezone="UTC")


def test_missing_export_is_reported_before_anything_is_deployed(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"gone\.zip"):
        report(tmp_path / "gone.zip", out=tmp_path / "report.html")


def test_local_cloud_and_file_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"^Pass either --local or a file: a report is made from one of them\.$"):
        report(tmp_path / "spotify.duckdb", local=True)


def test_without_a_file_the_target_is_queried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def found(stack: str, *, local: bool) -> Target:
        asked.append((stack, local))
        return Target("the stack dev in eu-north-1", {"named_queries": {}}, lambda _: object())

    monkeypatch.setattr("cli.report.command.find_target", found)
    with pytest.raises(CommandError, match=r"^The stack has no query .*: deploy this version with `pulumi up`\.$"):
        report(stack="dev", out=tmp_path / "report.html")
    assert asked == [("dev", False)]


def test_without_a_browser_the_path_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    console = Console(file=io.StringIO(), width=200)
    show(tmp_path / "report.html", console)
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == f"No browser could be opened: open {tmp_path}/report.html yourself.\n"
