"""A chart of an answer that has one natural reading: what each row is about, against its first number."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.errors import CommandError
from cli.query.answers import ResultColumn
from cli.text import clipped, visible

MOST_BARS = 50
SUFFIXES = (".svg", ".png", ".html")
"""What the names of charts' files end with."""

_LABEL_CHARACTERS = 40
_NOT_LABELS = frozenset({"account_id", "display_name", "place", "rank"})
"""Columns that do not tell rows apart for a reader: whose row it is, and its number."""
_SEPARATOR = " · "
_COLOUR = "#1a7f45"
_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font-family: sans-serif; margin: 2rem }} svg {{ max-width: 100%; height: auto }}</style>
<h1>{title}</h1>
{svg}
</html>
"""


@dataclass(frozen=True)
class Bars:
    """A bar chart."""

    number: str
    """The name of the column that the bars show."""
    bars: tuple[tuple[str, float], ...]
    """Label and length of each, in the order of the rows."""


def read_bars(columns: Sequence[ResultColumn], rows: Sequence[Sequence[str | None]]) -> Bars:
    """Return the natural reading of rows: as many of the first columns as tell them apart, and the next number.

    Args:
        columns: of the answer.
        rows: values as text.

    Raises:
        CommandError: there are no rows, or nothing to draw.
    """
    if not rows:
        raise CommandError("There are no rows to draw: run the query without --chart.")
    labels: list[int] = []
    for index, column in enumerate(columns):
        if labels and column.is_number and len(_distinct(rows, labels)) == len(rows):
            bars = tuple((_label(row, labels), float(row[index] or 0)) for row in rows)
            return Bars(column.name, bars)
        if column.name not in _NOT_LABELS and (len(rows) == 1 or len(_distinct(rows, [index])) > 1):
            labels.append(index)
    raise CommandError(
        "The answer cannot be drawn: a chart needs a column that tells the rows apart, and a number behind it; choose "
        "the columns with --sql."
    )


def save_chart(path: Path, title: str, bars: Bars) -> None:
    """Write a chart as an image or a page without scripts.

    Args:
        path: ends with one of `SUFFIXES`.
        title: of the chart.
        bars: what it shows.

    Raises:
        CommandError: the file cannot be written.
    """
    import altair as alt  # noqa: PLC0415 - it takes a second to import, which other queries need not wait for
    import vl_convert  # noqa: PLC0415 - likewise

    values = [
        {"label": label, "value": value}
        for label, (_, value) in zip(_clipped(label for label, _ in bars.bars), bars.bars, strict=True)
    ]
    chart = (
        alt.Chart(alt.InlineData(values=values), title=title)
        .mark_bar(color=_COLOUR)
        .encode(
            x=alt.X("value:Q", title=bars.number),
            y=alt.Y("label:N", title=None, sort=None, axis=alt.Axis(labelLimit=400)),
        )
    )
    specification = chart.to_dict()
    try:
        if path.suffix == ".png":
            path.write_bytes(vl_convert.vegalite_to_png(specification, scale=2))
            return
        svg = vl_convert.vegalite_to_svg(specification)
        named = html.escape(title)
        path.write_text(_PAGE.format(title=named, svg=svg) if path.suffix == ".html" else svg, "utf-8")
    except OSError as error:
        raise CommandError(f"Cannot write {path} ({error.strerror}): choose another place with --out.") from error


def _clipped(labels: Iterable[str]) -> list[str]:
    """Return labels for one line each, still different from each other."""
    found: list[str] = []
    for label in labels:
        short, number = clipped(visible(label), _LABEL_CHARACTERS), 1
        unique = short
        while unique in found:
            number += 1
            unique = f"{short} ({number})"
        found.append(unique)
    return found


def _distinct(rows: Sequence[Sequence[str | None]], columns: Sequence[int]) -> set[tuple[str | None, ...]]:
    return {tuple(row[index] for index in columns) for row in rows}


def _label(row: Sequence[str | None], columns: Sequence[int]) -> str:
    return _SEPARATOR.join("-" if row[index] is None else str(row[index]) for index in columns)
