"""The report as one HTML file: nothing in it is fetched from anywhere."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import vl_convert

from cli.report.contents import Figure, Section

_FOLDER = Path(__file__).parent
_LIBRARY = "window.vegaEmbed = vegaEmbed;"
"""What the page needs of Vega; the bundle holds no more."""


def render(sections: Sequence[Section], *, person: str, source: str, made_on: date) -> str:
    """Return the HTML of a report.

    Args:
        sections: what it shows.
        person: whose listening it is; '' where no name is known.
        source: what it was made from, as the end of a sentence.
        made_on: the day on which it was made.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja").render(
        sections=sections,
        person=person,
        source=source,
        made_on=made_on.isoformat(),
        style=_own("page.css"),
        script=_own("page.js"),
        library=_library(),
        charts=_json_in_html([_spec(figure) for figure in _figures(sections)]),
    )


def _figures(sections: Sequence[Section]) -> Iterator[Figure]:
    for section in sections:
        for block in section.blocks:
            if isinstance(block.content, Figure):
                yield block.content


def _spec(figure: Figure) -> dict[str, Any]:
    spec: dict[str, Any] = figure.chart.to_dict()
    # Colours and fonts are the page's, in light and dark.
    del spec["config"]
    return spec


def _json_in_html(value: object) -> markupsafe.Markup:
    """Return JSON that ends no script element, whatever the titles in it say."""
    return markupsafe.Markup(json.dumps(value).replace("<", "\\u003c"))  # noqa: S704 - that is what this escapes


@functools.cache
def _library() -> markupsafe.Markup:
    # It takes a second or two.
    return markupsafe.Markup(vl_convert.javascript_bundle(_LIBRARY))  # noqa: S704 - the libraries' own code


def _own(name: str) -> markupsafe.Markup:
    return markupsafe.Markup((_FOLDER / name).read_text(encoding="utf-8"))  # noqa: S704 - the project's own files
