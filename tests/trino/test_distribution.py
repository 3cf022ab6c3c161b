"""What Trino needs is found, fetched once, or requested in one sentence."""

from __future__ import annotations

import io
import re
import tarfile
import textwrap
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from tests.trino import distribution
from tests.trino.artifact import Artifact, ArtifactError
from tests.trino.distribution import HIVE, SERVER, VERSION, FetchError, MissingToolError, fetch, find_java

MAVEN = """
    PATH=/usr/bin:/bin
    if [ "$1" = --version ]; then echo "Apache Maven 3.9.9 (made up)"; exit; fi
    echo "$@" >> "{calls}"
    for argument; do
        case "$argument" in -DoutputDirectory=*) out=${{argument#*=}} ;; -Dartifact=*) artifact=${{argument#*=}} ;; esac
    done
    case "$artifact" in
        *core*) cp "{repository}/{server}" "$out" ;;
        *) cp "{repository}/{hive}" "$out" ;;
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
    """Return the environment of a machine with a home and no tools outside one folder."""
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "bin")}


def maven(tmp_path: Path, end: str = "exit 0") -> Path:
    """Write an `mvn` that logs its calls and copies what is requested from a folder."""
    calls = tmp_path / "calls"
    names = {"server": SERVER.file_name, "hive": HIVE.file_name}
    program(tmp_path / "bin/mvn", MAVEN.format(calls=calls, repository=tmp_path / "repository", end=end, **names))
    return calls


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a small release of Trino into a folder, and pin its hashes."""
    folder = tmp_path / "repository"
    folder.mkdir()
    with tarfile.open(folder / SERVER.file_name, "w:gz") as archive:
        add(archive, f"{SERVER.folder_name}/lib/trino.jar", b"classes")
        add(archive, f"{SERVER.folder_name}/bin/launcher", b"script", 0o755)
        add(archive, f"{SERVER.folder_name}/plugin/geo/geo.jar", b"unneeded")
        linked = tarfile.TarInfo(f"{SERVER.folder_name}/plugin/geo/again.jar")
        linked.type, linked.linkname = tarfile.LNKTYPE, f"{SERVER.folder_name}/plugin/geo/geo.jar"
        archive.addfile(linked)
    with zipfile.ZipFile(folder / HIVE.file_name, "w") as zipped:
        zipped.writestr(f"{HIVE.folder_name}/", b"")
        zipped.writestr(f"{HIVE.folder_name}/hive.jar", b"classes")
    for name, artifact in (("SERVER", SERVER), ("HIVE", HIVE)):
        digest = sha256((folder / artifact.file_name).read_bytes()).hexdigest()
        monkeypatch.setattr(distribution, name, replace(artifact, sha256=digest))
    return folder


def add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    archive.addfile(member, io.BytesIO(content))


def silent(_text: str) -> None:
    """Discard a progress message."""


def test_java_home_comes_first_then_path_then_the_system(tmp_path: Path, machine: dict[str, str]) -> None:
    systems = tmp_path / "jvm"
    of_system = jdk(systems / "temurin-25", "25.0.1")
    jdk(systems / "a-17", "17.0.15")
    assert find_java(machine, (systems,)) == of_system

    on_path = jdk(tmp_path, "24")
    assert find_java(machine, (systems,)) == on_path

    of_home = jdk(tmp_path / "own", "26-ea")
    assert find_java({**machine, "JAVA_HOME": str(tmp_path / "own")}, (systems,)) == of_home


def test_a_jdk_that_is_too_old_is_skipped(tmp_path: Path, machine: dict[str, str]) -> None:
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


@pytest.mark.usefixtures("repository")
def test_trino_is_fetched_once_into_the_cache(tmp_path: Path, machine: dict[str, str]) -> None:
    calls = maven(tmp_path)
    said: list[str] = []
    java = jdk(tmp_path / "jdk", "25")

    folder = fetch(java, said.append, machine)

    assert folder == tmp_path / f"home/.cache/spotify-etl/trino-{VERSION}"
    files = {
        str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*.*") if path.is_file()
    }
    assert files == {"lib/trino.jar": 0o644, "plugin/hive/hive.jar": 0o644}
    assert (folder / "bin/launcher").stat().st_mode & 0o777 == 0o755
    assert (folder / "lib/trino.jar").read_bytes() == b"classes"
    assert re.findall(r"-Dartifact=(\S+)", calls.read_text()) == [
        f"io.trino:trino-server-core:{VERSION}:tar.gz",
        f"io.trino:trino-hive:{VERSION}:zip",
    ]
    assert len(said) == 1
    assert str(folder) in said[0]
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]

    assert fetch(java, said.append, machine) == folder
    assert len(said) == 1


@pytest.mark.usefixtures("repository")
def test_the_cache_is_where_xdg_says(tmp_path: Path, machine: dict[str, str]) -> None:
    maven(tmp_path)
    folder = fetch(jdk(tmp_path / "jdk", "25"), silent, {**machine, "XDG_CACHE_HOME": str(tmp_path / "xdg")})

    assert folder == tmp_path / f"xdg/spotify-etl/trino-{VERSION}"


def test_what_maven_could_not_fetch_leaves_nothing_behind(tmp_path: Path, machine: dict[str, str]) -> None:
    maven(tmp_path, end="echo 'Could not find artifact'; exit 1")

    with pytest.raises(FetchError, match=r"Maven could not fetch io\.trino:trino-server-core") as raised:
        fetch(jdk(tmp_path / "jdk", "25"), silent, machine)

    assert "Could not find artifact" in str(raised.value)
    assert list((tmp_path / "home/.cache/spotify-etl").iterdir()) == []


@pytest.mark.parametrize("swapped", [SERVER, HIVE], ids=lambda artifact: artifact.name)
def test_another_file_in_place_of_the_release_is_refused_and_not_unpacked(
    tmp_path: Path, machine: dict[str, str], repository: Path, swapped: Artifact
) -> None:
    with (repository / swapped.file_name).open("ab") as archive:
        archive.write(b"more")
    found = sha256((repository / swapped.file_name).read_bytes()).hexdigest()
    maven(tmp_path)

    with pytest.raises(
        FetchError, match=rf"{swapped.name}:{VERSION}:\S+ has the SHA-256 {found}, not [0-9a-f]{{64}}: "
    ):
        fetch(jdk(tmp_path / "jdk", "25"), silent, machine)

    assert list((tmp_path / "home/.cache/spotify-etl").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../evil.jar",
        "/evil.jar",
        f"{SERVER.folder_name}/../../evil.jar",
        f"{SERVER.folder_name}/..\\evil.jar",
        "another-folder/evil.jar",
    ],
)
@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_an_archive_writes_nothing_outside_of_its_folder(tmp_path: Path, name: str, kind: str) -> None:
    archive = tmp_path / "archive"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr(name, b"evil")
    else:
        with tarfile.open(archive, "w:gz") as tarred:
            add(tarred, name, b"evil")

    with pytest.raises(ArtifactError, match="which is outside trino-server-core"):
        replace(SERVER, kind=kind).unpack(archive, tmp_path / "to")

    assert [path.name for path in tmp_path.rglob("*")] == ["archive"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_an_archive_makes_no_links_and_no_devices(tmp_path: Path, kind: bytes) -> None:
    archive = tmp_path / "archive"
    with tarfile.open(archive, "w:gz") as tarred:
        member = tarfile.TarInfo(f"{SERVER.folder_name}/odd")
        member.type, member.linkname = kind, "/etc/passwd"
        tarred.addfile(member)

    with pytest.raises(ArtifactError, match="odd, which is neither a file nor a folder"):
        SERVER.unpack(archive, tmp_path / "to")


@pytest.mark.parametrize("artifact", [SERVER, HIVE], ids=lambda artifact: artifact.name)
def test_a_file_that_is_not_an_archive_is_reported_in_one_sentence(tmp_path: Path, artifact: Artifact) -> None:
    (tmp_path / "archive").write_bytes(b"<html>")
    with pytest.raises(ArtifactError, match=rf"^{artifact.coordinates} cannot be unpacked: "):
        artifact.unpack(tmp_path / "archive", tmp_path / "to")


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
