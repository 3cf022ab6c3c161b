"""The report as a file: what it is made from, whose it is, and what stops it."""

from __future__ import annotations

import html.parser
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import markupsafe
import pytest

from cli.duckdb_file import write_duckdb_file
from cli.errors import CommandError
from cli.report.report import ReportRequest, write_report
from cli.report.sections import QUERIES
from cli.report.sources import DuckdbFile
from tests.cli.report.answers import ACCOUNT, EMOJI, HOSTILE, LONG, MadeUp, history, nothing, overview

NAMED = Path(__file__).parents[3] / "queries/named"
MOST_BYTES = 4_000_000
LIBRARY = markupsafe.Markup("window.vegaEmbed = () => {};")


@pytest.fixture(autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the slow tests alone bundle Vega, which takes seconds."""
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr("cli.report.page._library", lambda: LIBRARY)


class Page(html.parser.HTMLParser):
    """What a page consists of, as a parser reads it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.open = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, _tag: str) -> None:
        self.open = ""

    def handle_data(self, data: str) -> None:
        if self.open == "script":
            self.scripts[-1] += data
        elif self.open != "style" and data.strip():
            self.texts.append(data.strip())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def values(spec: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = spec["datasets"][spec["data"]["name"]]
    return found


def written(tmp_path: Path, source: MadeUp, **options: Any) -> Page:
    path = tmp_path / "report.html"
    write_report(source, ReportRequest(path=path, **options), name="a test")
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_BYTES
    return Page(text)


def test_every_block_is_one_named_query_of_the_project(tmp_path: Path) -> None:
    source = history()
    seen: list[str] = []
    path = tmp_path / "report.html"
    write_report(source, ReportRequest(path=path), name="a test", on_query=seen.append)
    page = Page(path.read_text(encoding="utf-8"))
    assert source.asked == seen == list(QUERIES)
    assert set(QUERIES) <= {file.stem for file in NAMED.glob("*.sql")}
    text = " ".join(page.texts)
    assert set(QUERIES) <= set(page.texts)
    assert "Ana <i>" in text
    assert "Nothing yet." not in text
    assert not [texts for texts in page.texts if texts.startswith("No ")]


def test_page_brings_the_library_that_draws_its_charts(tmp_path: Path) -> None:
    assert any(LIBRARY in script for script in written(tmp_path, history()).scripts)


@pytest.mark.slow
def test_library_is_vega(tmp_path: Path) -> None:
    assert any(
        "window.vegaEmbed" in script and len(script) > 500_000 for script in written(tmp_path, history()).scripts
    )


def test_titles_are_text_and_nothing_else(tmp_path: Path) -> None:
    page = written(tmp_path, history())
    assert {HOSTILE, EMOJI, LONG.strip()} <= set(page.texts)
    # The charts' data, the libraries and the page's own script.
    assert page.count("script") == 3
    assert page.count("i") == 0
    assert HOSTILE not in "".join(page.scripts)
    for name, attributes in page.elements:
        assert not {"src", "onload", "onerror", "onclick"} & attributes.keys(), name
        assert (attributes.get("href") or "#").startswith("#")


def test_page_forbids_every_request(tmp_path: Path) -> None:
    page = written(tmp_path, history())
    [policy] = [
        attributes["content"]
        for _, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def test_charts_draw_what_the_queries_answered(tmp_path: Path) -> None:
    page = written(tmp_path, history())
    specs = json.loads(page.scripts[0])
    assert [
        int(attributes["data-chart"] or "") for _, attributes in page.elements if "data-chart" in attributes
    ] == list(range(len(specs)))
    weeks = values(specs[0])
    # A week without a listen is a zero, and the last one has its whole width.
    assert [(week["week"], week["listens"]) for week in weeks] == [
        ("2026-10-19", 90),
        ("2026-10-26", 0),
        ("2026-11-02", 40),
        ("2026-11-09", 0),
    ]
    clock = values(specs[2])
    assert len(clock) == 7 * 24
    assert sum(value["listens"] for value in clock) == sum(weekday * 3 for weekday in range(1, 8))
    assert all("config" not in spec and "color" not in spec["mark"] for spec in specs)


def test_rankings_say_how_places_moved(tmp_path: Path) -> None:
    page = written(tmp_path, history())
    start = page.texts.index("Artists")
    entries = page.texts[start : page.texts.index("Tracks", start)]
    moved = [text for text in entries if text in {"new", "up", "down", "same place"}]
    assert moved == ["up", "same place", "down", *["new"] * 13]
    assert entries[entries.index("up") + 1] == "2"
    sparks = [attributes for name, attributes in page.elements if name == "svg"]
    # Twelve months wide, whatever months had a listen.
    assert {spark["viewbox"] for spark in sparks} == {"0 0 60 16"}


def test_without_data_each_block_says_so(tmp_path: Path) -> None:
    page = written(tmp_path, nothing())
    assert page.count("table") == page.count("svg") == 0
    assert json.loads(page.scripts[0]) == []
    empty = [attributes for _, attributes in page.elements if attributes.get("class") == "empty"]
    blocks = [attributes for name, attributes in page.elements if name == "article"]
    assert len(empty) == len(blocks)


def test_year_that_is_asked_for_is_shown_first(tmp_path: Path) -> None:
    def selected(page: Page) -> list[str | None]:
        return [
            attributes["value"] for name, attributes in page.elements if name == "option" and "selected" in attributes
        ]

    assert selected(written(tmp_path, history())) == ["2026"]
    assert selected(written(tmp_path, history(), year=2025)) == ["2025"]
    with pytest.raises(CommandError, match=r"^There are no listens in 1999: pass one of 2026, 2025\.$"):
        write_report(history(), ReportRequest(path=tmp_path / "x.html", year=1999), name="a test")
    with pytest.raises(CommandError, match=r"^There are no listens in 1999: there are no listens in any year\.$"):
        write_report(nothing(), ReportRequest(path=tmp_path / "x.html", year=1999), name="a test")


def test_report_is_of_one_account(tmp_path: Path) -> None:
    source = history()
    other = overview(listens=3, first="2026-01-01 10:00:00.000", last="2026-01-02 10:00:00.000")
    source.made_up["overview"].insert(0, other | {"account_id": "bob", "display_name": "Bob"})
    path = tmp_path / "report.html"
    made = write_report(source, ReportRequest(path=path), name="a test")
    assert (made.account_id, made.other_accounts) == (ACCOUNT, ("bob",))
    made = write_report(source, ReportRequest(path=path, account_id="bob"), name="a test")
    assert (made.account_id, made.other_accounts) == ("bob", (ACCOUNT,))
    assert re.search(r"<bdi>Bob</bdi>’s listening", path.read_text(encoding="utf-8"))
    with pytest.raises(CommandError, match=r"^There are no data of the account eve: pass one of ana, bob\.$"):
        write_report(source, ReportRequest(path=path, account_id="eve"), name="a test")
    with pytest.raises(CommandError, match=r"^There are no data yet: "):
        write_report(MadeUp({}), ReportRequest(path=path), name="a test")


def test_what_cannot_be_written_leaves_the_earlier_report(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.mkdir()
    with pytest.raises(CommandError, match=r"^Cannot write .*report\.html \(.*\): choose another path\.$"):
        write_report(history(), ReportRequest(path=path), name="a test")
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_duckdb_file_answers_in_athenas_text(tmp_path: Path) -> None:
    path = tmp_path / "spotify.duckdb"
    sql = (
        "SELECT 'ana' AS account_id, TRUE AS flag, 1.5e0 AS number, CAST(NULL AS varchar) AS nothing,"
        " DATE '2026-11-01' AS day"
    )
    write_duckdb_file(path, {}, views={}, queries={"overview": sql})
    source = DuckdbFile(path)
    assert source.rows("overview") == [
        {"account_id": "ana", "flag": "true", "number": "1.5", "nothing": None, "day": "2026-11-01"}
    ]
    with pytest.raises(CommandError, match=r"spotify\.duckdb does not answer top_by_year \(.*\): write it again"):
        source.rows("top_by_year")


@pytest.mark.parametrize("content", [None, b"this is no database", "another"])
def test_file_that_is_something_else_is_one_sentence(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "spotify.duckdb"
    if content == "another":
        duckdb.connect(str(path)).close()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(CommandError, match=r"pass the spotify\.duckdb of a demo\.$"):
        DuckdbFile(path)
