"""What running Trino takes: found, fetched once, or asked for in one sentence."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trino.distribution import VERSION, FetchError, MissingToolError, fetch, find_java

MAVEN = """
    PATH=/usr/bin:/bin
    if [ "$1" = --version ]; then echo "Apache Maven 3.9.9 (made up)"; exit; fi
    echo "$@" >> "{calls}"
    for argument; do
        case "$argument" in -DoutputDirectory=*) out=${{argument#*=}} ;; -Dartifact=*) artifact=${{argument#*=}} ;; esac
    done
    case "$artifact" in
        *core*) mkdir -p "$out/trino-server-core-{version}/lib" ;;
        *) mkdir -p "$out/trino-hive-{version}" ;;
    esac
    {end}
"""


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{textwrap.dedent(script)}", encoding="utf-8")
    path.chmod(0o755)
    return path


def jdk(folder: Path, version: str) -> Path:
    return program(folder / "bin/java", f"echo 'openjdk version \"{version}\" 2025-10-21' >&2\n")


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine with a home and no tools but those in one folder."""
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")}


def maven(tmp_path: Path, end: str = "exit 0") -> Path:
    """An `mvn` that notes its calls, and unpacks what is asked for."""
    calls = tmp_path / "calls"
    program(tmp_path / "bin/mvn", MAVEN.format(calls=calls, version=VERSION, end=end))
    return calls


def silent(_text: str) -> None:
    """Tell nobody."""


def test_java_home_comes_first_then_path_then_the_system(tmp_path: Path, machine: dict[str, str]) -> None:
    systems = tmp_path / "jvm"
    of_system = jdk(systems / "temurin-25", "25.0.1")
    jdk(systems / "a-17", "17.0.15")
    assert find_java(machine, (systems,)) == of_system

    on_path = jdk(tmp_path, "24")
    assert find_java(machine, (systems,)) == on_path

    of_home = jdk(tmp_path / "own", "26-ea")
    assert find_java({**machine, "JAVA_HOME": str(tmp_path / "own")}, (systems,)) == of_home


def test_a_jdk_that_is_too_old_is_passed_over(tmp_path: Path, machine: dict[str, str]) -> None:
    jdk(tmp_path / "old", "1.8.0_402")
    jdk(tmp_path, "23.0.2")
    new = jdk(tmp_path / "jvm/new", "25")

    assert find_java({**machine, "JAVA_HOME": str(tmp_path / "old")}, (tmp_path / "jvm",)) == new


def test_without_a_jdk_one_sentence_says_how_to_get_it(tmp_path: Path, machine: dict[str, str]) -> None:
    old = jdk(tmp_path / "jvm/old", "17.0.15")

    with pytest.raises(MissingToolError, match=r"need a JDK of version 24 or newer .*: install one") as raised:
        find_java(machine, (tmp_path / "jvm",))

    assert f"({old} is 17)" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_trino_is_fetched_once_into_the_cache(tmp_path: Path, machine: dict[str, str]) -> None:
    calls = maven(tmp_path)
    said: list[str] = []
    java = jdk(tmp_path / "jdk", "25")

    folder = fetch(java, said.append, machine)

    assert folder == tmp_path / f"home/.cache/spotify-etl/trino-{VERSION}"
    assert sorted(path.name for path in folder.iterdir()) == ["lib", "plugin"]
    assert (folder / "plugin/hive").is_dir()
    assert re.findall(r"-Dartifact=(\S+)", calls.read_text()) == [
        f"io.trino:trino-server-core:{VERSION}:tar.gz",
        f"io.trino:trino-hive:{VERSION}:zip",
    ]
    assert len(said) == 1
    assert str(folder) in said[0]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    assert fetch(java, said.append, machine) == folder
    assert len(said) == 1


def test_the_cache_lies_where_xdg_says(tmp_path: Path, machine: dict[str, str]) -> None:
    maven(tmp_path)
    folder = fetch(jdk(tmp_path / "jdk", "25"), silent, {**machine, "XDG_CACHE_HOME": str(tmp_path / "xdg")})

    assert folder == tmp_path / f"xdg/spotify-etl/trino-{VERSION}"


def test_what_maven_could_not_fetch_leaves_nothing_behind(tmp_path: Path, machine: dict[str, str]) -> None:
    maven(tmp_path, end="echo 'Could not find artifact'; exit 1")

    with pytest.raises(FetchError, match=r"Maven could not fetch io\.trino:trino-server-core") as raised:
        fetch(jdk(tmp_path / "jdk", "25"), silent, machine)

    assert "Could not find artifact" in str(raised.value)
    assert list((tmp_path / "home/.cache/spotify-etl").iterdir()) == []


def _no_maven(_folder: Path) -> None:
    pass


def _old_maven(folder: Path) -> None:
    program(folder / "mvn", "echo Apache Maven 3.5.4\n")


def _broken_maven(folder: Path) -> None:
    program(folder / "mvn", "exit 1\n")


@pytest.mark.parametrize(
    ("install", "reason"),
    [
        (_no_maven, "command mvn, which is not on PATH: install Maven 3.6.3 or newer"),
        (_old_maven, r"mvn \(Apache Maven 3.5.4\): install Maven 3.6.3 or newer"),
        (_broken_maven, r"mvn \(which does not run\): install Maven 3.6.3 or newer"),
    ],
)
def test_without_maven_one_sentence_says_how_to_get_it(
    tmp_path: Path, machine: dict[str, str], install: Callable[[Path], None], reason: str
) -> None:
    install(tmp_path / "bin")
    with pytest.raises(MissingToolError, match=reason) as raised:
        fetch(jdk(tmp_path / "jdk", "25"), silent, machine)
    assert "\n" not in str(raised.value)
