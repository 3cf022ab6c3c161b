"""How the demo speaks: numbered steps with their times, tables and one chart."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.bar import Bar
from rich.console import Console
from rich.status import Status
from rich.table import Table

_CHART_WIDTH = 60


class Steps:
    """Prints each step when it ends, with what came of it and how long it took; shows which one is under way."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[StepResult]:
        """One step; what is said of it goes into the result that this yields."""
        self._number += 1
        began = time.perf_counter()
        with self.console.status(f"{title} …") as status:
            result = StepResult(status, title)
            yield result
        seconds = time.perf_counter() - began
        self.console.print(f"[bold]{self._number:2}. {title}[/bold] [dim]{seconds:5.1f} s[/dim]", soft_wrap=True)
        for line in result.lines:
            self.console.print(f"    {line}", soft_wrap=True)


class StepResult:
    """What a step found out."""

    def __init__(self, status: Status, title: str) -> None:
        self.lines: list[str] = []
        self._status = status
        self._title = title

    def say(self, line: str) -> None:
        """Add a line to what is printed when the step ends."""
        self.lines.append(line)

    def progress(self, text: str) -> None:
        """Show how far the step is."""
        self._status.update(f"{self._title}: {text}")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], caption: str | None = None) -> Table:
    """A table for the terminal; numbers to the right, null as a dash."""
    made = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    for index, column in enumerate(columns):
        numeric = all(_is_number(row[index]) for row in rows) and bool(rows)
        made.add_column(column, justify="right" if numeric else "left", overflow="ellipsis")
    for row in rows:
        made.add_row(*("-" if cell is None else str(cell) for cell in row))
    return made


def counted(number: int, noun: str) -> str:
    """A number with its noun in the singular or plural."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def bar_chart(title: str, bars: Sequence[tuple[str, float]]) -> Table:
    """A bar chart for the terminal: a labelled bar a line, with its number."""
    longest = max((value for _, value in bars), default=0.0) or 1.0
    chart = Table(title=title, title_justify="left", box=None, show_header=False, padding=(0, 1))
    chart.add_column(justify="right")
    chart.add_column(width=_CHART_WIDTH)
    chart.add_column(justify="right")
    for label, value in bars:
        chart.add_row(label, Bar(longest, 0, value, width=_CHART_WIDTH, color="green"), f"{value:g}")
    return chart


def _is_number(cell: object) -> bool:
    try:
        float(str(cell))
    except ValueError:
        return cell is None
    return True
