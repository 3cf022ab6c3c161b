"""Any text that a command prints is shown by the terminal and has no other effect."""

from __future__ import annotations

import ast
import io
import re
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from cli.main import main
from cli.presentation import (
    Steps,
    bar_chart,
    print_line,
    print_tables,
    progress_bar,
    read_line,
    table,
    write_line,
)
from tests.thoroughness import examples

CLI = Path(__file__).parents[2] / "cli"
HOSTILE = "[/x] [link=file:///etc/passwd]click[/link] :boom: \x1b[2J\x1b]8;;http://evil.example\x07 \u202egpj.exe\nb"
SHOWN = r"[/x] [link=file:///etc/passwd]click[/link] :boom: ␛[2J␛]8;;http://evil.example␇ \u202egpj.exe␊b"
# What rich itself writes to a terminal: colours and bold.
STYLE = re.compile(r"\x1b\[[0-9;]*m")


def console(width: int = 300) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=True, width=width, color_system="truecolor"), stream


def printed(stream: io.StringIO) -> str:
    """Return what was printed without rich's own styles, after checking that nothing else in it controls a terminal."""
    text = STYLE.sub("", stream.getvalue())
    assert text.replace("\n", "").isprintable(), repr(text)
    return text


def test_a_line_shows_hostile_text_as_text() -> None:
    out, stream = console(width=20)
    print_line(out, ("found ", "bold"), HOSTILE)
    assert printed(stream) == f"found {SHOWN}\n"


def test_a_table_and_a_chart_show_hostile_text_as_text() -> None:
    out, stream = console()
    print_tables(out, table(HOSTILE, [HOSTILE], [[HOSTILE], [None], [7]], caption=HOSTILE), bar_chart(HOSTILE, []))
    print_tables(out, bar_chart("chart", [(HOSTILE, 1)]))
    assert [line.count(SHOWN) for line in printed(stream).splitlines() if SHOWN in line] == [1] * 6


def test_steps_show_hostile_text_as_text() -> None:
    out, stream = console()
    with Steps(out).step(HOSTILE) as result:
        result.progress(HOSTILE)
        result.say(HOSTILE)
        result.say((HOSTILE, "yellow"))
    # The line that shows what is under way is erased and redrawn, which takes control codes of rich's own.
    ended = STYLE.sub("", stream.getvalue()).splitlines()
    assert [line.strip() for line in ended if line.endswith("b")][-2:] == [SHOWN, SHOWN]
    assert f" 1. {SHOWN}" in STYLE.sub("", stream.getvalue())
    assert "\x1b[2J" not in stream.getvalue()
    assert "\u202e" not in stream.getvalue()


def test_a_line_for_a_stream_and_a_question_show_hostile_text_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    write_line(stream, HOSTILE)
    assert stream.getvalue() == f"{SHOWN}\n"
    monkeypatch.setattr("builtins.input", lambda: "typed")
    out, asked = console()
    assert read_line(out, HOSTILE) == "typed"
    assert printed(asked) == SHOWN


def test_names_of_files_in_an_export_are_shown_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "export\x1b[8m.zip"
    with zipfile.ZipFile(export, "w") as archive:
        archive.writestr("Streaming_History_Audio_\x1b[5m[bold].json", '[{"ts": "2026-01-01T00:00:00Z"}')
        archive.writestr("Video\x1b]0;owned\x07\u202e\n.pdf", "")
    monkeypatch.setattr(sys, "argv", ["spotify-etl", "import-history", str(export), str(export), "--dry-run"])
    with pytest.raises(SystemExit):
        main()
    output = capsys.readouterr()
    assert "Streaming_History_Audio_␛[5m[bold].json: the file stops at element 2" in output.out
    assert "Left out (empty): Video␛]0;owned␇\\u202e␊.pdf" in output.out
    assert output.err.startswith("Streaming_History_Audio_␛[5m[bold].json cannot be read to the end")
    assert (output.out + output.err).replace("\n", "").isprintable()
    monkeypatch.setattr(sys, "argv", ["spotify-etl", "import-history", f"{tmp_path}/\x1b[8mgone", "--dry-run"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == f"There is no file or folder {tmp_path}/␛[8mgone: check the spelling.\n"


def test_a_progress_bar_shows_only_on_a_terminal() -> None:
    stream = io.StringIO()
    with progress_bar(Console(file=stream)) as progress:
        progress.add_task("Reading", total=1)
    assert stream.getvalue() == ""


def test_a_title_of_five_hundred_letters_leaves_the_other_columns_their_place() -> None:
    out, stream = console(width=80)
    print_tables(out, table("t", ["title", "listens"], [["la " * 170, 12], ["x" * 500, 3]]))
    lines = printed(stream).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) < 12
    assert "…" in printed(stream)
    assert [re.findall(r"│ +(\d+) │$", line) for line in lines if re.search(r"\d", line)] == [["12"], ["3"]]


@given(st.text(st.characters(), max_size=200), st.integers(20, 200))
@settings(max_examples=examples(100, 20))
def test_no_text_controls_the_terminal(text: str, width: int) -> None:
    out, stream = console(width)
    print_line(out, text, (text, "bold"))
    print_tables(out, table(text, [text, "n"], [[text, 1]], caption=text), bar_chart(text, [(text, 2.0)]))
    allowed = stream.getvalue().translate(dict.fromkeys(map(ord, "\n")))
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", STYLE.sub("", allowed))


def writes(source: str) -> list[str]:
    """Return the places where a module of `cli` writes to the terminal without using `cli.presentation`."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="print" | "input" | "Console" as name)):
                found.append(name)
            case ast.Call(func=ast.Attribute(attr="print" | "input" | "log" | "echo" | "secho" | "prompt" as name)):
                found.append(name)
            # A text of the program's own may be written as it is, and bytes go to no terminal.
            case ast.Call(
                func=ast.Attribute(attr="write"), args=[ast.Constant() | ast.Call(func=ast.Name(id="bytes"))]
            ):
                pass
            case ast.Call(func=ast.Attribute(attr="write" | "writelines" as name)):
                found.append(name)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] == "rich":
                found += [f"{module}.{one.name}" for one in node.names if one.name != "Console"]
            case ast.Import(names=names):
                found += [one.name for one in names if one.name.split(".")[0] in {"rich", "logging", "warnings"}]
    return found


@pytest.mark.parametrize("module", sorted(path.name for path in CLI.glob("*.py") if path.name != "presentation.py"))
def test_no_command_writes_to_the_terminal_by_itself(module: str) -> None:
    assert writes((CLI / module).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "print(title)",
        "console.print(title)",
        "answer = input(title)",
        "typer.echo(title)",
        "typer.prompt(title)",
        "sys.stderr.write(f'{title}')",
        "sys.stdout.writelines(titles)",
        "console = Console()",
        "from rich.markup import escape",
        "import rich",
    ],
)
def test_that_check_sees_each_way_to_write(source: str) -> None:
    assert writes(source)
