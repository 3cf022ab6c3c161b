"""A year as an image to share."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from cli.errors import CommandError
from cli.report.blocks.years import years_in_review
from cli.report.card import check_card, render_card
from cli.report.contents import Year
from cli.report.sections import QUERIES
from tests.cli.report.answers import EMOJI, HOSTILE, history

TEXT = "{http://www.w3.org/2000/svg}text"


def year(number: int) -> Year:
    source = history()
    return next(one for one in years_in_review({query: source.rows(query) for query in QUERIES}) if one.year == number)


def test_card_shows_the_years_numbers_and_its_five_artists_and_tracks() -> None:
    image = ET.fromstring(render_card(year(2025), person="Ana <i>", suffix=".svg"))  # noqa: S314 - our own
    texts = [element.text or "" for element in image.iter(TEXT)]
    assert texts[:8] == ["Ana <i>", "2025", "312", "hours", "5,345", "listens", "120", "artists"]
    assert [texts.index(title) for title in ("Artists", "Tracks")] == [8, 19]
    assert texts[10] == HOSTILE[:39] + "…"
    assert texts.count(EMOJI) == 2
    assert texts.count("5") == 2
    assert "6" not in texts


def test_card_is_an_image_by_its_suffix() -> None:
    assert render_card(year(2026), person="", suffix=".png").startswith(b"\x89PNG\r\n")
    with pytest.raises(CommandError, match=r"^A card is an image, so --card must end with \.svg or \.png\.$"):
        check_card(Path("card.jpeg"))
