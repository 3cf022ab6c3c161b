"""The views: one SQL file each, published in the order in which they build on each other."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.publish.athena import StatementError

if TYPE_CHECKING:
    from handlers.publish.athena import Athena
    from handlers.publish.catalog import Catalog

FOLDER = Path(__file__).parents[2] / "queries" / "views"
"""In the repository as in the deployed archive."""

_FINGERPRINT = "definition_sha256"
"""Parameter of a view's Glue table that says which definition it was made from.

Athena keeps a view's query reformatted and drops all parameters whenever it makes the view, so a view that somebody
replaced has none.
"""

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXT = re.compile(r"'(?:[^']|'')*'")
_MENTION = re.compile(r"(?:\bfrom|\bjoin|,)\s*\(*\s*\"?(?P<name>[a-z_][a-z0-9_]*)\"?(?![\w.(\"])", re.IGNORECASE)
_TIMEZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


class ViewError(Exception):
    """View files that cannot be published at all."""


@dataclass(frozen=True)
class View:
    """One view.

    Attributes:
        name: name of the file and of the view.
        description: the file's first comment line.
        sql: the query, with every placeholder filled.
        mentions: tables and views that it may read.
    """

    name: str
    description: str
    sql: str
    mentions: frozenset[str]


@dataclass
class Published:
    """How the views came out: names made anew, names left as they were, and name → what is wrong."""

    created: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def load(timezone: str, folder: Path = FOLDER) -> list[View]:
    """Read the view files, in an order in which each comes after those it reads.

    Args:
        timezone: an IANA time zone, which takes the place of `${timezone}`.
        folder: where the files lie.

    Raises:
        ViewError: the time zone is none, a file has another placeholder, or views read each other in a circle.
    """
    # Its name goes into SQL. Whether the zone exists was checked on deployment; Lambda need not have a list of them.
    if not _TIMEZONE.fullmatch(timezone):
        raise ViewError(f"TIMEZONE is {timezone!r}: it must be an IANA time zone such as Europe/Berlin.")
    files = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))}
    if not files:
        raise ViewError(f"There are no views in {folder}: deploy the archive with queries/views in it.")
    views = {name: _view(name, text, timezone) for name, text in files.items()}
    graph = {name: sorted(view.mentions & (views.keys() - {name})) for name, view in views.items()}
    try:
        return [views[name] for name in TopologicalSorter(graph).static_order()]
    except CycleError as error:
        raise ViewError(f"Views read each other in a circle: {' → '.join(error.args[1])}.") from error


def publish(views: Iterable[View], catalog: Catalog, athena: Athena) -> Published:
    """Make each view that is not as its file says; one that fails stops only those that read it.

    Args:
        views: in an order in which each comes after those it reads.
        catalog: the database.
        athena: makes the views.
    """
    published = Published()
    fingerprints: dict[str, str] = {}
    for view in views:
        if broken := sorted(view.mentions & published.failed.keys()):
            published.failed[view.name] = f"It reads {broken[0]}, which failed"
            continue
        fingerprint = fingerprints[view.name] = _fingerprint(view, catalog, fingerprints)
        if catalog.view_parameters(view.name).get(_FINGERPRINT) == fingerprint:
            published.unchanged.append(view.name)
            continue
        try:
            athena.run(f'CREATE OR REPLACE VIEW "{view.name}" AS\n{view.sql}')
            catalog.annotate(view.name, view.description, {_FINGERPRINT: fingerprint})
        except (StatementError, ClientError) as error:
            published.failed[view.name] = str(error)
            continue
        published.created.append(view.name)
    return published


def _view(name: str, text: str, timezone: str) -> View:
    try:
        sql = Template(text).substitute(timezone=timezone).strip()
    except (KeyError, ValueError) as error:
        raise ViewError(
            f"{name}.sql has a placeholder other than ${{timezone}}: {error}; write $$ for a dollar."
        ) from error
    first = text.partition("\n")[0]
    description = first.removeprefix("--").strip() if first.startswith("--") else ""
    bare = _TEXT.sub("''", _COMMENT.sub(" ", sql))
    mentions = {match["name"].lower() for match in _MENTION.finditer(bare)} - {name}
    return View(name, description, sql, frozenset(mentions))


def _fingerprint(view: View, catalog: Catalog, fingerprints: Mapping[str, str]) -> str:
    """Hash what decides how a view comes out: its query, and the columns of all that it reads.

    A view over `*` must be made anew when there is a new column; any other may be.
    """
    read = {name: fingerprints.get(name) or catalog.columns(name) for name in sorted(view.mentions)}
    return hashlib.sha256(json.dumps([view.sql, read]).encode()).hexdigest()
