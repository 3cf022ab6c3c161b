"""The views: one SQL file each, published in dependency order."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from string import Template

from botocore.exceptions import ClientError

from handlers.publish.athena import Athena
from handlers.publish.catalog import GlueDatabase

FOLDER = Path(__file__).parents[2] / "queries" / "views"
"""The same in the repository and in the deployed archive."""

_FINGERPRINT = "definition_sha256"
"""Parameter of a view's Glue table: the hash of the definition that it was created from.

Athena stores a view's query reformatted, and drops all parameters whenever it creates the view, so a view that somebody
replaced has none.
"""

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXT = re.compile(r"'(?:[^']|'')*'")
_MENTION = re.compile(r"(?:\bfrom|\bjoin|,)\s*\(*\s*\"?(?P<name>[a-z_][a-z0-9_]*)\"?(?![\w.(\"])", re.IGNORECASE)
_TIMEZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


class ViewError(Exception):
    """View files of which none can be published."""


@dataclass(frozen=True, kw_only=True)
class View:
    """One view."""

    name: str
    """Name of the file and of the view."""
    description: str
    """The file's first comment line."""
    sql: str
    """The query, with every placeholder filled in."""
    mentions: frozenset[str]
    """Tables and views that it may read."""


@dataclass
class Published:
    """The views by outcome."""

    created: list[str] = field(default_factory=list)
    """Views created or replaced."""
    unchanged: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """View → reason."""


def load(timezone: str, folder: Path = FOLDER) -> list[View]:
    """Read the view files and return the views in dependency order.

    Args:
        timezone: an IANA time zone, which replaces `${timezone}`.
        folder: contains the files.

    Raises:
        ViewError: the time zone is invalid, a file has another placeholder, or views depend on each other in a cycle.
    """
    # It becomes part of SQL. Deployment checked that the zone exists; Lambda may have no list of zones.
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
        raise ViewError(f"Views depend on each other in a cycle: {' → '.join(error.args[1])}.") from error


def publish(views: Iterable[View], catalog: GlueDatabase, athena: Athena) -> Published:
    """Create each view that differs from its file, those that do not read each other at the same time.

    A failure stops only the views that read it.

    Args:
        views: all views, none of which reads itself through others.
        catalog: the database.
        athena: creates the views.
    """
    published = Published()
    fingerprints: dict[str, str] = {}
    remaining = {view.name: view for view in views}
    while remaining:
        ready = [view for view in remaining.values() if not view.mentions & remaining.keys()]
        changed: list[View] = []
        for view in ready:
            del remaining[view.name]
            if broken := sorted(view.mentions & published.failed.keys()):
                published.failed[view.name] = f"It reads {broken[0]}, which failed"
                continue
            fingerprint = fingerprints[view.name] = _fingerprint(view, catalog, fingerprints)
            if catalog.view_parameters(view.name).get(_FINGERPRINT) == fingerprint:
                published.unchanged.append(view.name)
            else:
                changed.append(view)
        failed = athena.run({view.name: f'CREATE OR REPLACE VIEW "{view.name}" AS\n{view.sql}' for view in changed})
        published.failed |= failed
        for view in changed:
            if view.name in failed:
                continue
            try:
                catalog.annotate(view.name, view.description, {_FINGERPRINT: fingerprints[view.name]})
            except ClientError as error:
                published.failed[view.name] = str(error)
            else:
                published.created.append(view.name)
    return published


def _view(name: str, text: str, timezone: str) -> View:
    try:
        sql = Template(text).substitute(timezone=timezone).strip()
    except (KeyError, ValueError) as error:
        raise ViewError(
            f"{name}.sql has a placeholder other than ${{timezone}}: {error}; write $$ for a dollar sign."
        ) from error
    first = text.partition("\n")[0]
    description = first.removeprefix("--").strip() if first.startswith("--") else ""
    code = _TEXT.sub("''", _COMMENT.sub(" ", sql))
    mentions = {match["name"].lower() for match in _MENTION.finditer(code)} - {name}
    return View(name=name, description=description, sql=sql, mentions=frozenset(mentions))


def _fingerprint(view: View, catalog: GlueDatabase, fingerprints: Mapping[str, str]) -> str:
    """Return the hash of what a view depends on: its query, and the columns of everything that it reads.

    A view over `*` must be created again when there is a new column; for any other view that does no harm.
    """
    read = {name: fingerprints.get(name) or catalog.columns(name) for name in sorted(view.mentions)}
    return hashlib.sha256(json.dumps([view.sql, read]).encode()).hexdigest()
