"""A year on one card, to share: an SVG or PNG image, made on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import jinja2
import vl_convert

from cli.errors import CommandError
from cli.report.contents import Ranked, Year
from cli.text import clipped, visible

FORMATS = (".svg", ".png")
"""What the name of a card may end with."""

_SHOWN = 5
_NUMBERS = ("hours", "listens", "artists")
_NAME_CHARACTERS = 26
_BY_CHARACTERS = 16
_ALONE_CHARACTERS = 40


def check_card(path: Path) -> None:
    """Check the name of a card.

    Raises:
        CommandError: it ends with none of `FORMATS`.
    """
    if path.suffix not in FORMATS:
        raise CommandError(f"A card is an image, so --card must end with {' or '.join(FORMATS)}.")


def render_card(year: Year, *, person: str, suffix: str) -> bytes:
    """Return the image of a card.

    Args:
        year: what it shows.
        person: whose year; '' where no name is known.
        suffix: one of `FORMATS`.
    """
    values: Mapping[str, object] = {tile.label: tile.value for tile in year.tiles.tiles}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=jinja2.StrictUndefined
    )
    image = environment.get_template("card.svg.jinja").render(
        person=clipped(visible(person), _ALONE_CHARACTERS),
        year=year.year,
        numbers=[(label, values[label]) for label in _NUMBERS],
        lists=[(title, _shown(ranking.entries)) for title, ranking in year.rankings if title in {"Artists", "Tracks"}],
    )
    return bytes(vl_convert.svg_to_png(image)) if suffix == ".png" else image.encode()


def _shown(entries: Sequence[Ranked]) -> list[Ranked]:
    return [
        replace(
            entry,
            name=clipped(visible(entry.name), _NAME_CHARACTERS if entry.by else _ALONE_CHARACTERS),
            by=clipped(visible(entry.by), _BY_CHARACTERS),
        )
        for entry in entries[:_SHOWN]
    ]
