"""`spotify-etl query` with a made-up workgroup."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from cli.query.named import GROUPS
from cli.targets import Target
from tests.cli.query.fake_athena import FakeAthena

ROOT = Path(__file__).parents[3]
ESCAPE = "\x1b]0;owned\x07"
ARTISTS = [("account_id", "varchar"), ("artist_name", "varchar"), ("listens", "bigint")]
ROWS = f'"account_id","artist_name","listens"\n"me","A {ESCAPE}","9"\n"me","=B","4"\n'


class Ran:
    """How a command ended."""

    def __init__(self, status: Any, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def query(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs the command in the workgroup of a fake."""

    def run(athena: FakeAthena, *arguments: str) -> Ran:
        monkeypatch.setattr("cli.query.command.find_target", lambda *_, **__: athena.target())
        monkeypatch.setattr("cli.athena_queries._SHORTEST_POLL", 0)
        monkeypatch.setattr(sys, "argv", ["spotify-etl", "query", *arguments])
        status: Any = 0
        try:
            main()
        except SystemExit as end:
            status = end.code
        sys.stdout.flush()
        printed = capfd.readouterr()
        return Ran(status, printed.out, printed.err)

    return run


def test_named_query_is_a_table_with_its_price(query: Any) -> None:
    athena = FakeAthena(ARTISTS, ROWS, states=["QUEUED", "RUNNING", "SUCCEEDED"], scanned=25_000_000)
    ran = query(athena, "Top-Artists", "--number", "7")
    lines = ran.out.splitlines()
    assert athena.started == ["WITH parameters AS (SELECT 7 AS number) SELECT 1"]
    assert lines[0] == "Using the stack dev in eu-north-1."
    assert "│ me         │ A ␛]0;owned␇ │       9 │" in lines
    assert lines[-1].startswith("2 rows in ")
    assert lines[-1].endswith(" s; 25.0 MB scanned, about 0.00013 USD.")
    assert ESCAPE not in ran.out


def test_long_answer_says_how_many_rows_are_shown(query: Any) -> None:
    body = '"n"\n' + "".join(f'"{number}"\n' for number in range(1234))
    ran = query(FakeAthena([("n", "integer")], body), "--sql", "SELECT n FROM numbers;")
    assert "Showing 40 of 1,234 rows; --out rows.csv writes all of them.\n" in ran.out
    assert "│ 39 │" in ran.out
    assert "│ 40 │" not in ran.out


def test_data_on_standard_output_are_alone_there(query: Any) -> None:
    ran = query(FakeAthena(ARTISTS, ROWS), "overview", "--format", "csv")
    assert ran.out == f"account_id,artist_name,listens\nme,A {ESCAPE},9\nme,'=B,4\n"
    assert ran.err.startswith("Using the stack dev in eu-north-1.\n2 rows in ")
    ran = query(FakeAthena(ARTISTS, ROWS), "overview", "--format", "json")
    assert [json.loads(line)["listens"] for line in ran.out.splitlines()] == [9, 4]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_name_of_the_file_says_its_format(query: Any, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"rows.{suffix}"
    out.write_text("earlier")
    ran = query(FakeAthena(ARTISTS, ROWS), "overview", "--out", str(out))
    assert f"The rows are in {out}.\n" in ran.out
    assert out.read_bytes()[:4] == {"csv": b"acco", "jsonl": b'{"ac', "parquet": b"PAR1"}[suffix]
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.slow
def test_chart_is_drawn_in_the_terminal_or_into_a_file(query: Any, tmp_path: Path) -> None:
    ran = query(FakeAthena(ARTISTS, ROWS), "overview", "--chart")
    assert "overview: listens" in ran.out
    assert [line.split()[-1] for line in ran.out.splitlines() if "█" in line] == ["9", "4"]
    ran = query(FakeAthena(ARTISTS, ROWS), "overview", "--chart", "--out", str(tmp_path / "c.svg"))
    assert (tmp_path / "c.svg").read_text("utf-8").startswith("<svg")


def test_sql_comes_from_a_file_or_standard_input(query: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    athena = FakeAthena(ARTISTS, ROWS)
    (tmp_path / "q.sql").write_text("SELECT 1;\n")
    query(athena, "--file", str(tmp_path / "q.sql"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT 2\n"))
    query(athena, "--file", "-")
    assert athena.started == ["SELECT 1", "SELECT 2"]


def test_without_a_query_all_are_listed_by_subject_with_title_and_parameters(query: Any) -> None:
    lines = query(FakeAthena()).out.splitlines()
    assert lines == [
        "Using the stack dev in eu-north-1.",
        "",
        "Your listening",
        "  overview      All in one row.",
        "",
        "Favourites",
        "  top_artists   Your top artists.  (number)",
        "",
        "Others",
        "  of_their_own  Something else.",
        "",
        "Run one with `spotify-etl query NAME`. In brackets are its parameters, for example --param number=10.",
    ]


def test_every_query_of_this_version_has_a_subject() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(path.stem for path in (ROOT / "queries/named").glob("*.sql"))


def test_local_cloud_costs_nothing(query: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    athena = FakeAthena(ARTISTS, ROWS, scanned=1_000_000)
    stack = athena.target()
    local: Any = object()
    monkeypatch.setattr(athena, "target", lambda: Target("the local cloud", stack.outputs, stack.client, local))
    assert query(athena, "overview").out.endswith(" s; 1.0 MB scanned. The local cloud costs nothing.\n")


def test_ctrl_c_stops_the_query_in_athena(query: Any) -> None:
    athena = FakeAthena(states=["RUNNING", "CTRL-C"])
    ran = query(athena, "overview")
    assert athena.stopped == ["q"]
    assert ran.status == 130
    assert ran.err == "Stopped. Everything that this command had started has been shut down.\n"


def test_reader_that_has_seen_enough_is_no_error(query: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.BytesIO):
        def write(self, _: Any) -> int:
            raise BrokenPipeError

    closed = io.TextIOWrapper(Closed())
    monkeypatch.setattr(closed, "fileno", lambda: 99, raising=False)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    monkeypatch.setattr(sys, "stdout", closed)
    assert query(FakeAthena(ARTISTS, ROWS), "overview", "--format", "csv").status == 0


FAILED = FakeAthena(states=["FAILED"], reason="COLUMN_NOT_FOUND: Column 'x' cannot be resolved")
OVER_LIMIT = FakeAthena(states=["CANCELLED"], reason="Query cancelled! : Bytes scanned limit was exceeded")
STOPPED = FakeAthena(states=["CANCELLED"], reason="Query cancelled by user")
ANY = FakeAthena(ARTISTS, ROWS)


@pytest.mark.parametrize(
    ("athena", "arguments", "sentence"),
    [
        (
            FAILED,
            ["overview"],
            "The query failed in Athena: COLUMN_NOT_FOUND: Column 'x' cannot be resolved.",
        ),
        (OVER_LIMIT, ["overview"], "The query was stopped because it would scan more than 1,000 MB: read fewer partit"),
        (STOPPED, ["overview"], "The query was stopped in Athena (Query cancelled by user): run it again."),
        (ANY, ["top_artist"], "There is no named query top_artist: did you mean top_artists?"),
        (ANY, ["SELECT 1"], "SELECT 1 is not the name of a query: pass SQL with --sql."),
        (ANY, ["zzz"], "There is no named query zzz: `spotify-etl query` lists them all."),
        (ANY, ["--sql", "SELECT 1; SELECT 2"], "Athena rejected the query: Only one sql statement is allowed."),
        (ANY, ["--sql", " ;"], "The query is empty: pass SQL with --sql or --file, or the name of a query."),
        (ANY, ["overview", "--sql", "SELECT 1"], "Pass one of NAME, --sql and --file: a command runs one query."),
        (
            ANY,
            ["--format", "csv"],
            "Which query? Pass a name, --sql or --file; without options, the names are listed.",
        ),
        (ANY, ["overview", "--format", "xls"], "There is no format xls: choose one of table, csv, json, parquet."),
        (ANY, ["overview", "--out", "rows"], "Which format? Pass --format csv, json or parquet, or an --out that ends"),
        (ANY, ["overview", "--out", "gone/rows.csv"], "There is no folder gone for rows.csv: create it first."),
        (ANY, ["overview", "--chart", "--format", "csv"], "Pass either --chart or --format: a chart is not a list"),
        (
            ANY,
            ["overview", "--chart", "--out", "c.csv"],
            "A chart is an image or a page: --out must end with .svg,",
        ),
        (ANY, ["overview", "--param", "number=3"], "The query has no parameter number: it has none."),
        (
            ANY,
            ["--file", "gone.sql"],
            "Cannot read gone.sql (No such file or directory): pass a text file with one",
        ),
    ],
)
def test_what_goes_wrong_is_one_sentence(query: Any, athena: FakeAthena, arguments: list[str], sentence: str) -> None:
    ran = query(athena, *arguments)
    assert ran.status == 1
    assert ran.err.startswith(sentence)
    assert ran.err.count("\n") == 1


def test_parameter_without_a_value_is_wrong_usage(query: Any) -> None:
    ran = query(ANY, "overview", "--param", "number")
    assert ran.status == 2
    assert ran.err.startswith("Invalid value: --param is 'number', but must be NAME=VALUE. See ")
