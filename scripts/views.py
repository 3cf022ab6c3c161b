# ruff: noqa: INP001 - a script, no package
"""`make views`: writes the views that follow from `handlers/tables.py`, and the entries of `docs/queries.md`.

A template of `queries/templates/` that is named like a kind of table (`snapshot`, `entity`, `bridge`) gives each table
of that kind its view `current_<table>`; any other template gives the view of its own name, also in place of the kind's.
Views that need no columns from the registry are written by hand in `queries/views/`, without a template.

Templates use these placeholders. `${timezone}` stays: the publish function fills it in.

- A line with `${each:<list>}` is repeated for each name of the list, one with `${list:<list>}` as well but with commas
  in between. A list is a table's name (its own columns) or `streams` (those with a table of their own); for a kind also
  `columns` (those of the table), `grain` (with `account_id`) and `values` (the columns outside the grain).
- ` after <column>` or ` before <column>` takes part of a list; ` and local times` adds a column in the stack's time zone
  after each timestamp.
- For a kind: `${subject}` (the table's doc up to the semicolon), `${table}`, `${stream}`, `${grain}`, `${grain_of_t}`
  (qualified by the alias `t`) and `${list_of_t}` (the same without the position).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import get_args

from handlers.streams import STREAMS, Stream
from handlers.tables import TABLES, Table, TableKind

ROOT = Path(__file__).parents[1]
TEMPLATES = ROOT / "queries" / "templates"
PAGE = Path("docs/queries.md")

_GENERATED = "-- Generated from queries/templates/"
_REPETITION = re.compile(
    r"\$\{(?P<how>each|list):(?P<list>\w+)(?: (?P<side>after|before) (?P<column>\w+))?(?P<local> and local times)?\}"
)
_FACT = re.compile(r"\$\{(?P<name>(?!timezone\})[^}]*)\}")
_LOCAL_TIME = "CAST({0} AT TIME ZONE 'UTC' AT TIME ZONE '${{timezone}}' AS timestamp) AS {0}_local"


class TemplateError(Exception):
    """A template with a placeholder that has no value."""


def views(tables: Mapping[str, Table] = TABLES, streams: Mapping[str, Stream] = STREAMS) -> dict[str, str]:
    """Return the SQL of every view that has a template, by the view's name.

    Raises:
        TemplateError: a template has a placeholder that has no value.
    """
    templates = {path.stem: path.read_text(encoding="utf-8") for path in sorted(TEMPLATES.glob("*.sql"))}
    kinds: set[str] = {*get_args(TableKind)}
    lists = {
        **{table.name: _names(table) for table in tables.values()},
        "streams": [stream.name for stream in streams.values() if stream.table == stream.name],
    }
    types = {column.name: column.type for table in tables.values() for column in table.columns}
    rendered = {
        f"current_{table.name}": _render(table.kind, templates[table.kind], types, lists | _lists(table), _facts(table))
        for table in tables.values()
        if table.kind in templates
    }
    rendered |= {name: _render(name, text, types, lists, {}) for name, text in templates.items() if name not in kinds}
    return dict(sorted(rendered.items()))


def page(text: str, folder: Path = ROOT / "queries") -> str:
    """Return the page on queries with its entries replaced: what the comments at the top of the SQL files say.

    Args:
        text: the page, in which the entries of a folder are between `<!-- <folder>: … -->` and `<!-- end -->`.
        folder: contains the folders of SQL files.
    """
    for name in ("views", "named"):
        entries = "\n".join(f"- `{path.stem}`: {_comment(path)}" for path in sorted((folder / name).glob("*.sql")))
        text = re.sub(
            rf"(?<=<!-- {name}: written by `make views` -->\n).*?(?=<!-- end -->)",
            lambda _, entries=entries: f"\n{entries}\n\n",
            text,
            flags=re.DOTALL,
        )
    return text


def write(root: Path = ROOT) -> None:
    """Write the views and the page below a folder, and remove the views whose template or table is gone."""
    folder = root / "queries" / "views"
    rendered = views()
    for path in folder.glob("*.sql"):
        if path.stem not in rendered and is_generated(path.read_text(encoding="utf-8")):
            path.unlink()
    for name, sql in rendered.items():
        (folder / f"{name}.sql").write_text(sql, encoding="utf-8")
    described = page((root / PAGE).read_text(encoding="utf-8"), root / "queries")
    (root / PAGE).write_text(described, encoding="utf-8")


def is_generated(sql: str) -> bool:
    """Return whether a view comes from a template."""
    return f"\n{_GENERATED}" in sql


def _names(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _grain(table: Table) -> list[str]:
    return ["account_id", *(name for name in table.grain if name != "account_id")]


def _lists(table: Table) -> dict[str, list[str]]:
    """Return the lists that a template of a kind may repeat a line for."""
    columns = _names(table)
    return {"columns": columns, "grain": _grain(table), "values": [name for name in columns if name not in table.grain]}


def _facts(table: Table) -> dict[str, str]:
    """Return the values of the other placeholders of a template of a kind."""
    grain = _grain(table)
    return {
        "subject": table.doc.partition(";")[0],
        "table": table.name,
        # A snapshot has one stream, which is named like it.
        "stream": table.name,
        "grain": ", ".join(grain),
        "grain_of_t": ", ".join(f"t.{name}" for name in grain),
        "list_of_t": ", ".join(f"t.{name}" for name in grain if name != "position"),
    }


def _render(
    name: str, template: str, types: Mapping[str, str], lists: Mapping[str, Sequence[str]], facts: Mapping[str, str]
) -> str:
    lines = [line for text in template.splitlines() for line in _repeat(name, text, types, lists)]
    comments = len([*takewhile(lambda line: line.startswith("--"), lines)])
    lines.insert(comments, f"{_GENERATED}{name}.sql by `make views`: edit the template.")

    def fact(placeholder: re.Match[str]) -> str:
        if placeholder["name"] not in facts:
            raise TemplateError(f"queries/templates/{name}.sql: {placeholder[0]} has no value.")
        return facts[placeholder["name"]]

    return _FACT.sub(fact, "\n".join(lines)) + "\n"


def _repeat(template: str, line: str, types: Mapping[str, str], lists: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a line of a template once for each name of the list that it repeats, or as it is."""
    repetition = _REPETITION.search(line)
    if not repetition:
        return [line]
    names = list(lists.get(repetition["list"], ()))
    if not names or (repetition["column"] and repetition["column"] not in names):
        raise TemplateError(f"queries/templates/{template}.sql: {repetition[0]} has no value.")
    if repetition["side"] == "after":
        names = names[names.index(repetition["column"]) + 1 :]
    elif repetition["side"] == "before":
        names = names[: names.index(repetition["column"])]
    if repetition["local"]:
        names = [
            value
            for name in names
            for value in ([name, _LOCAL_TIME.format(name)] if types[name] == "timestamp" else [name])
        ]
    repeated = [_REPETITION.sub(lambda _, value=value: value, line) for value in names]
    return [f"{text}," for text in repeated[:-1]] + repeated[-1:] if repetition["how"] == "list" else repeated


def _comment(path: Path) -> str:
    lines = takewhile(lambda line: line.startswith("--"), path.read_text(encoding="utf-8").splitlines())
    return " ".join(line[2:].strip() for line in lines if not line.startswith(_GENERATED))


if __name__ == "__main__":
    write()
