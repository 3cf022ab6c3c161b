"""One convention each for docstrings, imports of types, loggers and class names."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = (
    "cli", "embedded_aws", "handlers", "local", "loopback", "pipeline", "plugin", "policies", "scripts",
    "spotify_simulator",
)  # fmt: skip
FILES = [
    file for part in PARTS for file in sorted((ROOT / part).rglob("*.py")) if ".venv" not in file.parts
]  # fmt: skip

NOUN_STARTS = {
    "A",
    "All",
    "An",
    "As",
    "Each",
    "Every",
    "For",
    "How",
    "In",
    "Its",
    "Names",
    "No",
    "Not",
    "One",
    "Only",
    "Paths",
    "Rows",
    "Some",
    "That",
    "The",
    "Their",
    "These",
    "This",
    "Those",
    "Two",
    "What",
    "When",
    "Where",
    "Whether",
    "Which",
    "Who",
}
"""First words that begin a noun phrase or a clause: a function's docstring says what to do instead."""
STUBS = ("_typeshed", "mypy_boto3_")
"""Packages of types alone, which are not installed where the code runs."""
LAZY = ROOT / "embedded_aws/__init__.py"
"""Loads its members when they are used, since moto has no place in the processes of functions and Pulumi programs."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def nodes(file: Path) -> list[ast.AST]:
    """Return the nodes of a file, the module first."""
    return list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def body(file: Path) -> list[ast.stmt]:
    module = nodes(file)[0]
    assert isinstance(module, ast.Module)
    return module.body


def place(file: Path, node: ast.AST) -> str:
    return f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def is_property(function: Function) -> bool:
    return any(
        ast.unparse(decorator).split("(")[0].split(".")[-1] in {"property", "cached_property", "setter"}
        for decorator in function.decorator_list
    )


def test_functions_say_what_to_do_and_properties_what_they_are() -> None:
    odd = []
    for file in FILES:
        for node in nodes(file):
            docstring = ast.get_docstring(node) if isinstance(node, Function) else None
            if docstring is None:
                continue
            assert isinstance(node, Function)
            first = docstring.split()[0].strip("*,.:;")
            wrong = first == "Return" if is_property(node) else first in NOUN_STARTS or not first[:1].isalpha()
            if wrong:
                odd.append(f"{place(file, node)}: {docstring.splitlines()[0]}")
    assert odd == []


def test_attributes_are_documented_where_they_stand() -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    assert [
        place(file, node)
        for file in FILES
        for node in nodes(file)
        if isinstance(node, documented) and "Attributes:" in (ast.get_docstring(node) or "")
    ] == []


def test_only_stubs_are_imported_for_types_alone() -> None:
    """All else is imported as usual, so that a reader finds a module's imports in one place."""
    odd = []
    for file in set(FILES) - {LAZY}:
        for node in nodes(file):
            if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
                for statement in node.body:
                    assert isinstance(statement, ast.ImportFrom | ast.Import), place(file, statement)
                    names = (
                        [statement.module or ""]
                        if isinstance(statement, ast.ImportFrom)
                        else [alias.name for alias in statement.names]
                    )
                    odd += [f"{place(file, statement)}: {name}" for name in names if not name.startswith(STUBS)]
    assert odd == []


def test_loggers_of_modules_are_named_log() -> None:
    assert [
        place(file, statement)
        for file in FILES
        for statement in body(file)
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Call)
        and ast.unparse(statement.value.func) in {"Logger", "logging.getLogger", "getLogger"}
        and [ast.unparse(target) for target in statement.targets] != ["LOG"]
    ] == []


def test_class_name_means_one_thing() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for file in FILES:
        for node in nodes(file):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(place(file, node))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
