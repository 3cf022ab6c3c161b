"""What Trino needs to run: a JDK, and the server with its Hive connector, fetched once with Maven."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from tests.trino.artifact import Artifact, ArtifactError

VERSION = "476"
"""Athena engine version 3 follows Trino's releases without saying which."""

_OLDEST_JAVA = 24
_OLDEST_MAVEN = (3, 6, 3)
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
SERVER = Artifact(
    "trino-server-core",
    VERSION,
    "tar.gz",
    "0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158",
)
HIVE = Artifact(
    "trino-hive",
    VERSION,
    "zip",
    "611bacdb07d9f3cf7b9d47f97ecc76fa2e7ff8bfe8a9728c3d06adc1bfb8662e",
)
_JDK_FOLDERS = (Path("/usr/lib/jvm"),)
_PROGRESS_SECONDS = 10


class MissingToolError(Exception):
    """A tool that Trino needs is missing or too old."""


class FetchError(Exception):
    """Maven could not fetch Trino, or fetched something else."""


def find_java(environment: Mapping[str, str] = os.environ, folders: tuple[Path, ...] = _JDK_FOLDERS) -> Path:
    """Return the `java` of the first JDK that is new enough: JAVA_HOME's, the one on PATH, one of the system's.

    Args:
        environment: environment variables, of which JAVA_HOME and PATH are used.
        folders: contain the system's JDKs, one folder each.

    Raises:
        MissingToolError: there is none.
    """
    seen = []
    for java in _candidates(environment, folders):
        version = _java_version(java)
        if version >= _OLDEST_JAVA:
            return java
        seen.append(f"{java} is {version}")
    found = "; ".join(seen) or "none was found"
    raise MissingToolError(
        f"The Trino tests need a JDK of version {_OLDEST_JAVA} or newer ({found}): install one"
        " (for instance Temurin 25, adoptium.net) and set JAVA_HOME to its folder."
    )


def fetch(java: Path, say: Callable[[str], None], environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the unpacked server, fetched if this machine has none yet.

    Args:
        java: the Java that runs Maven.
        say: called with progress messages.
        environment: environment variables, of which XDG_CACHE_HOME, HOME and PATH are used, and any that Maven reads.

    Raises:
        MissingToolError: Maven is missing or too old.
        FetchError: Maven could not fetch it, or what it fetched does not have the release's hash.
    """
    cache = Path(environment.get("XDG_CACHE_HOME") or Path(environment["HOME"]) / ".cache") / "spotify-etl"
    ready = cache / f"trino-{VERSION}"
    if ready.is_dir():
        return ready
    environment = {**environment, "JAVA_HOME": str(java.parent.parent)}
    maven = _find_maven(environment)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="fetching-") as name:
        folder = Path(name)
        say(f"Fetching Trino {VERSION} with Maven into {ready}, once (0.5 GB) …")
        server = _fetched(SERVER, maven, folder, environment, say)
        (server / "plugin").mkdir()
        _fetched(HIVE, maven, folder, environment, say).rename(server / "plugin" / "hive")
        try:
            # Atomic: the folder is never incomplete.
            server.rename(ready)
        except OSError:
            # Another run got there first.
            if not ready.is_dir():
                raise
    return ready


def _candidates(environment: Mapping[str, str], folders: tuple[Path, ...]) -> Iterator[Path]:
    if home := environment.get("JAVA_HOME"):
        yield Path(home) / "bin/java"
    if on_path := shutil.which("java", path=environment.get("PATH", "")):
        yield Path(on_path).resolve()
    for folder in folders:
        yield from sorted(folder.glob("*/bin/java"))


def _java_version(java: Path) -> int:
    """Return the feature version of a JDK, 0 if it does not run: `openjdk version "25.0.1"` has 25."""
    match = re.search(r'version "(\d+)', _output([str(java), "-version"]))
    return int(match[1]) if match else 0


def _find_maven(environment: Mapping[str, str]) -> str:
    how = f"install Maven {'.'.join(map(str, _OLDEST_MAVEN))} or newer (apt install maven, brew install maven)"
    maven = shutil.which("mvn", path=environment.get("PATH", ""))
    if maven is None:
        raise MissingToolError(f"The Trino tests fetch Trino with Maven's command mvn, which is not on PATH: {how}.")
    match = re.search(r"Apache Maven (\d+)\.(\d+)\.(\d+)", _output([maven, "--version"], environment))
    if match is None or tuple(map(int, match.groups())) < _OLDEST_MAVEN:
        version = match[0] if match else "which does not run"
        raise MissingToolError(f"The Trino tests cannot use {maven} ({version}): {how}.")
    return maven


def _output(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError:
        return ""
    return done.stdout + done.stderr


def _fetched(
    artifact: Artifact, maven: str, folder: Path, environment: Mapping[str, str], say: Callable[[str], None]
) -> Path:
    archive = folder / artifact.file_name
    _copy(maven, artifact, folder, environment, say)
    try:
        artifact.check(archive)
        unpacked = artifact.unpack(archive, folder, _is_needed)
    except ArtifactError as error:
        raise FetchError(str(error)) from error
    archive.unlink()
    return unpacked


def _is_needed(path: PurePosixPath) -> bool:
    # None of the core's plugins is.
    return path.parts[1:2] != ("plugin",)


def _copy(
    maven: str, artifact: Artifact, folder: Path, environment: Mapping[str, str], say: Callable[[str], None]
) -> None:
    command = [maven, "--batch-mode", "--no-transfer-progress", _COPY, f"-Dartifact={artifact.coordinates}"]
    command += [f"-DoutputDirectory={folder}", "-Dmdep.useBaseVersion=true"]
    started = time.monotonic()
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, env=environment) as running,
    ):
        while True:
            try:
                code = running.wait(_PROGRESS_SECONDS)
                break
            except subprocess.TimeoutExpired:
                say(f"  {artifact.name}: {time.monotonic() - started:.0f} s")
        log.seek(0)
        output = log.read()
    if code != 0 or not (folder / artifact.file_name).is_file():
        raise FetchError(
            f"Maven could not fetch {artifact.coordinates}; check the network and that a repository in Maven's"
            f" settings has it. Its output:\n{output[-2000:]}"
        )
