"""The output of commands: the only module that writes to the terminal.

Everything that it prints passes through `cli.text.visible`, and nothing is interpreted as rich markup. Commands in
sentences become what the user has to type.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from rich.bar import Bar
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.status import Status
from rich.table import Table
from rich.text import Text

from cli.program_name import in_sentence
from cli.text import clipped, visible

_CHART_WIDTH = 60
_CELL_CHARACTERS = 120
"""The longest text in a cell; a title on Spotify may have hundreds of characters."""

Part = str | tuple[str, str]
"""Text, or text with a style of rich such as `bold` or `yellow`."""


def terminal() -> Console:
    """Return a console for standard output, whether it is a terminal or a file."""
    return Console()


def print_line(console: Console, *parts: Part) -> None:
    """Print one line without wrapping it."""
    console.print(_line(*parts), soft_wrap=True)


def read_line(console: Console, question: str, *, echo: bool = True) -> str:
    """Prompt the user for a line of text.

    Args:
        console: where the question is printed.
        question: the prompt.
        echo: whether the terminal shows what is typed.

    Raises:
        EOFError: the input ended.
    """
    return console.input(_line(question), password=not echo)


def write_line(stream: IO[str], line: str) -> None:
    """Write one line to a stream, without the wrapping and styles of a console."""
    stream.write(f"{visible(in_sentence(line))}\n")


def progress_bar(console: Console) -> Progress:
    """Return a progress bar that counts bytes; it appears only on a terminal and disappears when the work is done."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@contextmanager
def live_status(console: Console, text: str) -> Iterator[Callable[[str], None]]:
    """Show on a terminal what a command is waiting for; yields a function that replaces the text."""
    with console.status(_line(f"{text} …")) as status:
        yield lambda changed: status.update(_line(f"{changed} …"))


class Steps:
    """Shows the step in progress, and prints each step when it ends with its result and how long it took."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[StepResult]:
        """Run one step; the caller adds its output to the result that this yields."""
        self._number += 1
        began = time.perf_counter()
        with self.console.status(_line(f"{title} …")) as status:
            result = StepResult(status, title)
            yield result
        seconds = time.perf_counter() - began
        print_line(self.console, (f"{self._number:2}. {title}", "bold"), " ", (f"{seconds:5.1f} s", "dim"))
        for line in result.lines:
            print_line(self.console, "    ", line)


class StepResult:
    """The output of a step."""

    def __init__(self, status: Status, title: str) -> None:
        self.lines: list[Part] = []
        self._status = status
        self._title = title

    def say(self, line: Part) -> None:
        """Add a line, which is printed when the step ends."""
        self.lines.append(line)

    def progress(self, text: str) -> None:
        """Show the step's progress."""
        self._status.update(_line(f"{self._title}: {text}"))


def print_tables(console: Console, *tables: Table) -> None:
    """Print what `table` and `bar_chart` return."""
    console.print(*tables)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str | None = None) -> Table:
    """Return a table for the terminal, with numbers right-aligned, null as a dash, and long texts clipped."""
    made = Table(
        title=_line(title),
        title_justify="left",
        caption=None if caption is None else _line(caption),
        caption_justify="left",
    )
    for index, column in enumerate(columns):
        numeric = all(_is_number(row[index]) for row in rows) and bool(rows)
        made.add_column(_line(column), justify="right" if numeric else "left", overflow="ellipsis")
    for row in rows:
        made.add_row(*(_cell("-" if cell is None else str(cell)) for cell in row))
    return made


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun in the singular or plural."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def bar_chart(title: str, bars: Sequence[tuple[str, float]]) -> Table:
    """Return a bar chart for the terminal, with a labelled bar and its number on each line."""
    longest = max((value for _, value in bars), default=0.0) or 1.0
    chart = Table(title=_line(title), title_justify="left", box=None, show_header=False, padding=(0, 1))
    chart.add_column(justify="right")
    chart.add_column(width=_CHART_WIDTH)
    chart.add_column(justify="right")
    for label, value in bars:
        chart.add_row(_cell(label), Bar(longest, 0, value, width=_CHART_WIDTH, color="green"), f"{value:,.10g}")
    return chart


def _line(*parts: Part) -> Text:
    """Return parts as a Text, which rich prints literally; a string would be searched for markup and emoji codes."""
    texts = [(part, "") if isinstance(part, str) else part for part in parts]
    return Text.assemble(*((visible(in_sentence(text)), style) for text, style in texts))


def _cell(text: str) -> Text:
    return Text(visible(clipped(text, _CELL_CHARACTERS)))


def _is_number(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return cell is None
    return True
