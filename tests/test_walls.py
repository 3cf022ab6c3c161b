"""Who may import whom (the layout that the README and the docs describe)."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = {"handlers", "pipeline", "plugin", "embedded_aws", "spotify_simulator", "loopback", "local", "cli"}
RAW = "handlers.raw"
"""How the raw bucket is written: what an import writes must be what the extractor writes."""
CONTRACTS = {
    "handlers.catalogue_uris",
    "handlers.layout",
    "handlers.login_lifetime",
    "handlers.login_secret",
    "handlers.streaming_history",
    "handlers.streams",
    "handlers.tables",
}


@cache
def imports_of(file: Path) -> set[str]:
    """The full name of every module that a file imports; of `from a import b` it is `a.b` where that is a module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively: walls are checked by full names"
            assert node.module
            names |= {
                member if is_module(member := f"{node.module}.{alias.name}") else node.module for alias in node.names
            }
    return names


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or path.is_dir()


def project_imports(folder: str) -> dict[Path, set[str]]:
    return {
        file.relative_to(ROOT): {name for name in imports_of(file) if name.split(".")[0] in PARTS}
        for file in sorted((ROOT / folder).rglob("*.py"))
    }


def foreign(names: set[str], allowed: set[str]) -> set[str]:
    """Of the names those that neither are allowed nor lie below one that is."""
    return {name for name in names if not any(name == one or name.startswith(f"{one}.") for one in allowed)}


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("handlers", {"handlers"}),
        ("pipeline", {"pipeline", *CONTRACTS}),
        ("plugin", {"pipeline"}),
        ("loopback", {"loopback"}),
        ("embedded_aws", {"embedded_aws", "loopback"}),
        ("spotify_simulator", {"spotify_simulator", "loopback"}),
        ("local", {"local", "embedded_aws", "spotify_simulator"}),
        ("cli", {"cli", "local", "spotify_simulator", RAW, *CONTRACTS}),
    ],
)
def test_part_imports_only_what_it_may_know(folder: str, allowed: set[str]) -> None:
    files = project_imports(folder)
    assert files
    assert {str(file): found for file, names in files.items() if (found := foreign(names, allowed))} == {}


def test_what_writes_the_raw_bucket_knows_neither_function_nor_command() -> None:
    files = sorted((ROOT / "handlers" / "raw").rglob("*.py"))
    names = {name for file in files for name in imports_of(file)}
    assert foreign(names, {RAW, "botocore", "mypy_boto3_s3", *CONTRACTS, *sys.stdlib_module_names}) == set()


def test_only_the_demo_and_local_commands_know_the_embedded_cloud() -> None:
    knowing = {
        file.relative_to("cli").parts[0].removesuffix(".py")
        for file, names in project_imports("cli").items()
        if any(name.split(".")[0] in {"local", "spotify_simulator"} for name in names - {"local.running_cloud"})
    }
    assert knowing <= {"demo", "local_cloud", "own_export"}


EXTRACT_BASE = {"handlers.extract.logs", "handlers.extract.times", RAW, *CONTRACTS}


@pytest.mark.parametrize(
    ("room", "allowed"),
    [
        ("spotify", {"handlers.extract.spotify"}),
        ("reads", {"handlers.extract.spotify", "handlers.extract.reads"}),
    ],
)
def test_walk_from_a_page_to_a_raw_object_goes_forward_only(room: str, allowed: set[str]) -> None:
    files = project_imports(f"handlers/extract/{room}")
    assert files
    assert {
        str(file): found for file, names in files.items() if (found := foreign(names, allowed | EXTRACT_BASE))
    } == {}


@pytest.mark.parametrize("module", sorted(CONTRACTS))
def test_contract_imports_no_third_party(module: str) -> None:
    names = imports_of(ROOT / f"{module.replace('.', '/')}.py") - CONTRACTS
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("folder", "never"),
    [
        ("spotify_simulator", {"moto", "boto3", "botocore", "duckdb", "pyarrow", "pulumi"}),
        ("loopback", {"moto", "boto3", "botocore", "spotipy"}),
        ("embedded_aws", {"spotipy"}),
    ],
)
def test_library_does_not_load_what_only_another_part_needs(folder: str, never: set[str]) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    assert {name.split(".")[0] for file in files for name in imports_of(file)} & never == set()


def texts_of(folder: str) -> list[Path]:
    """What people read of a part: its code, its SQL and its README."""
    return sorted(file for kind in ("py", "sql", "md") for file in (ROOT / folder).rglob(f"*.{kind}"))


@pytest.mark.parametrize("folder", ["embedded_aws", "loopback"])
def test_library_knows_no_names_of_the_project(folder: str) -> None:
    files = texts_of(folder)
    assert files
    names = ("spotify", "saved_tracks", "recently_played", "playlist", "handlers.", "rejected_records")
    assert {
        str(file.relative_to(ROOT)): found
        for file in files
        if (found := [name for name in names if name in file.read_text(encoding="utf-8").lower()])
    } == {}


def test_simulator_knows_no_names_of_the_project() -> None:
    names = ("spotify_etl", "handlers.", "parquet", "athena", "glue", "lambda function")
    assert {
        str(file.relative_to(ROOT)): found
        for file in texts_of("spotify_simulator")
        if (found := [name for name in names if name in file.read_text(encoding="utf-8").lower()])
    } == {}
