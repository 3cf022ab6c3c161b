"""What a report is made of: sections of blocks, each block the answer of one named query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import altair as alt

Format = Literal["text", "whole", "decimal", "date", "month"]
"""How the page shows a value: numbers and dates in the reader's own locale."""
Value = str | int | float | None


@dataclass(frozen=True, kw_only=True)
class TableColumn:
    """One column of a table."""

    label: str
    name: str
    """Key of its values in the rows."""
    format: Format = "text"
    by: str = ""
    """Key of a second, quieter line beneath the value: the artist of a track."""


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One number with its label."""

    label: str
    value: Value
    format: Format = "whole"


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """Numbers side by side."""

    tiles: Sequence[Tile]
    kind: Literal["tiles"] = "tiles"


@dataclass(frozen=True, kw_only=True)
class DataTable:
    """Rows under their columns; what has more than `shown` rows unfolds."""

    columns: Sequence[TableColumn]
    rows: Sequence[dict[str, Any]]
    shown: int = 10
    kind: Literal["table"] = "table"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A chart with the table of its values, for those who cannot see it."""

    chart: alt.Chart
    label: str
    """What the chart shows, for a screen reader."""
    table: DataTable
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """One entry of a ranking."""

    place: int
    name: str
    by: str = ""
    value: int = 0
    place_before: int | None = None
    months: Sequence[int] = ()
    """Values of the last months, oldest first, for a sparkline."""

    @property
    def moved(self) -> int:
        """Places won since the period before; 0 without one."""
        return 0 if self.place_before is None else self.place_before - self.place


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Things in order of how often they were heard."""

    entries: Sequence[Ranked]
    movement: bool = False
    """Whether the entries say how they moved."""
    shown: int = 10
    kind: Literal["ranking"] = "ranking"


@dataclass(frozen=True, kw_only=True)
class Year:
    """One year in review."""

    year: int
    tiles: Tiles
    rankings: Sequence[tuple[str, Ranking]]


@dataclass(frozen=True, kw_only=True)
class Years:
    """Years in review, of which the page shows one at a time."""

    years: Sequence[Year]
    selected: int
    kind: Literal["years"] = "years"


Content = Tiles | DataTable | Figure | Ranking | Years


@dataclass(frozen=True, kw_only=True)
class ReportBlock:
    """One answer with its title and a sentence on what it shows."""

    title: str
    queries: tuple[str, ...]
    """The named queries it is made from."""
    says: str
    content: Content | None
    """None where there is nothing to show."""
    empty: str = "Nothing yet."
    """The sentence that stands in for the content where there is none."""
    since: str = ""
    """The first day that the answer can know of, `YYYY-MM-DD`; '' where that says nothing."""
    wide: bool = True
    """Whether it takes the whole width."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Blocks under one heading."""

    name: str
    """For the address of the section within the page."""
    title: str
    blocks: Sequence[ReportBlock]
    narrow: bool = False
    """Whether three blocks fit side by side."""
