"""What is deployed to Lambda: one code archive, and the dependency layers of the functions.

The same sources give the same bytes in any folder, and the code archive also on any machine, so Pulumi sees a change
only where there is one. (Pulumi's own AssetArchive has a different hash each time: pulumi/pulumi#21008.)

Layers hold the byte code of their packages too: Lambda cannot write it, so every cold start would compile them. The
code archive does not, since its bytes would depend on the Python of the machine, and compiling it takes little.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi

ROOT = Path(__file__).resolve().parents[1]
"""The project's folder, which holds `handlers/`, `queries/` and the lock files."""

PYTHON = "3.13"
RUNTIME = f"python{PYTHON}"
FUNCTIONS = ("extract", "transform", "publish", "compact")
SHARED_LAYERS = {"compact": "transform"}
"""Function → the function whose layer it runs with, because it needs the same packages."""
LAYERS = tuple(function for function in FUNCTIONS if function not in SHARED_LAYERS)
"""The functions with a lock file and a layer of their own."""
LAYERS_VARIABLE = "SPOTIFY_ETL_LAYERS"
LOCKS_ONLY = "locks"
"""Value of `LAYERS_VARIABLE` for layers that hold only their lock file, where functions do not run on Lambda itself."""

MAX_ZIP_BYTES = 50_000_000
"""Lambda's limit for direct uploads: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""
MAX_UNZIPPED_BYTES = 250_000_000
"""Lambda's limit for a function's code and layers together, unzipped."""

AWS_SERVICES = ("athena", "glue", "lambda", "s3", "secretsmanager", "sqs", "sso", "sso-oidc", "sts")
"""Services whose API models stay in the layer's botocore: those that the handlers use. All models take 28 MB."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644
# pip finds the newest release only if it is given every tag for the platform.
_PLATFORMS = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_RULES_VERSION = 2
"""Increased whenever layers get other files from the same packages, so that cached ones are rebuilt."""
_LAYER_FOLDER = "/opt/python"
"""Where Lambda unpacks the packages of a layer."""


class PackagingError(pulumi.RunError):
    """The code archive or a layer could not be built."""


@dataclass(frozen=True)
class Artifact:
    """A zip file and its SHA-256 in base64, by which Lambda identifies it."""

    path: Path
    sha256: str


def build_code(root: Path = ROOT, build: Path | None = None) -> Artifact:
    """Build the archive that every function runs: the handlers, and the views that publish creates.

    Args:
        root: the folder that holds `handlers/` and `queries/`.
        build: where archives are kept, named by their content; by default `build` in `root`.
    """
    files = [*root.glob("handlers/**/*.py"), *root.glob("queries/views/*.sql")]
    contents = {path.relative_to(root).as_posix(): path.read_bytes() for path in files}
    return _kept((build or root / "build") / "code", _zipped(contents, zipfile.ZIP_STORED))


def build_layer(
    function: str,
    architecture: str,
    *,
    root: Path = ROOT,
    build: Path | None = None,
    log: Callable[[str], None] = print,
) -> Artifact:
    """Build a layer: the packages in the lock file of a function, for Lambda's platform, and the lock file itself.

    A layer is built once per lock file and architecture, then reused from the build folder. It has byte code if this
    machine has Lambda's version of Python.

    Args:
        function: one of `LAYERS`.
        architecture: `arm64` or `x86_64`.
        root: the folder that holds the lock files.
        build: where archives are kept; by default `build` in `root`.
        log: called with a progress message before a slow step.

    Raises:
        PackagingError: the packages could not be installed, or they are too large for Lambda.
    """
    lock = root / f"requirements-{function}.lock"
    locked = lock.read_bytes()
    folder = (build or root / "build") / "layers"
    contents = {"requirements.lock": locked}
    if os.environ.get(LAYERS_VARIABLE) == LOCKS_ONLY:
        return _kept(folder / "locks", _zipped(contents, zipfile.ZIP_STORED))
    compiler = byte_code_compiler()
    contained = f"{PYTHON} {architecture} {_RULES_VERSION} {'byte code' if compiler else 'sources'}"
    recipe = hashlib.sha256(locked + contained.encode()).hexdigest()[:16]
    kept = folder / f"{function}-{architecture}-{recipe}.zip"
    if not kept.exists():
        log(f"Building the layer of {function} for {architecture}: installing {lock.name} (about a minute, once) …")
        with tempfile.TemporaryDirectory() as installed:
            _install(lock, architecture, Path(installed))
            _prune(Path(installed))
            if compiler:
                _compile(Path(installed), compiler)
            contents |= _layer_files(Path(installed))
        archive = _zipped(contents, zipfile.ZIP_DEFLATED)
        _check_sizes(function, len(archive), sum(map(len, contents.values())))
        _write(kept, archive)
        log(f"Built the layer of {function}: {len(archive) / 1e6:.1f} MB.")
        if not compiler:
            log(
                f"The layer of {function} has no byte code, since there is no Python {PYTHON} on this machine: the "
                "function takes a second longer to start, and a deployment from a machine that has one changes the "
                f"layer again. Install python{PYTHON} and run this again."
            )
    return Artifact(kept, _sha256(kept.read_bytes()))


def main() -> None:
    """Build everything that is deployed, for the architecture given on the command line (arm64 by default)."""
    architectures = sys.argv[1:] or ["arm64"]
    unknown = sorted(set(architectures) - set(_MACHINES))
    if unknown:
        raise SystemExit(f"Unknown architecture {unknown[0]!r}: it must be one of {', '.join(_MACHINES)}.")
    try:
        archives = [build_code()] + [build_layer(function, name) for name in architectures for function in LAYERS]
    except PackagingError as error:
        raise SystemExit(str(error)) from None
    for archive in archives:
        print(f"{archive.path.relative_to(ROOT)}  {archive.path.stat().st_size / 1e6:.1f} MB")


def _zipped(contents: Mapping[str, bytes], compression: int) -> bytes:
    """Return a zip file whose bytes depend only on the names and bytes of its files.

    A compressed one also depends on this Python's zlib; the code is small enough to be stored uncompressed.
    """
    with tempfile.TemporaryFile() as file:
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in sorted(contents.items()):
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.compress_type = compression
                entry.create_system = 3
                entry.external_attr = _FILE_MODE << 16
                archive.writestr(entry, content, compresslevel=9)
        file.seek(0)
        return file.read()


def _kept(folder: Path, archive: bytes) -> Artifact:
    path = folder / f"{hashlib.sha256(archive).hexdigest()[:16]}.zip"
    if not path.exists():
        _write(path, archive)
    return Artifact(path, _sha256(archive))


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two programs may build at once: each writes its own file, and the last one wins.
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(content)
    Path(file.name).replace(path)


def _sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _install(lock: Path, architecture: str, target: Path) -> None:
    platforms = [f"--platform={name}_{_MACHINES[architecture]}" for name in _PLATFORMS]
    command = [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"),
        *("--no-compile", "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp"),
        *(f"--python-version={PYTHON}", *platforms, f"--target={target}", f"--requirement={lock}"),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or ["pip printed no error"])[-1]
        raise PackagingError(f"The packages of {lock.name} could not be installed for {architecture}: {reason}")


def byte_code_compiler() -> str | None:
    """Return a Python that makes Lambda's byte code; None if there is none on this machine."""
    return next(filter(_answers, _pythons()), None)


def _pythons() -> Iterator[str]:
    """Yield this Python, then those that may be Lambda's."""
    yield sys.executable
    if found := shutil.which(f"python{PYTHON}"):
        yield found
    # The command that pyenv puts on PATH starts only the versions that are selected.
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{PYTHON}.*/bin/python{PYTHON}")))


def _answers(python: str) -> bool:
    """Return whether a command is a CPython of Lambda's version; it may be a wrapper that finds none."""
    script = "import sys; print(sys.implementation.cache_tag)"
    done = subprocess.run([python, "-I", "-S", "-c", script], capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == f"cpython-{PYTHON.replace('.', '')}"


def _compile(installed: Path, python: str) -> None:
    """Compile every module to byte code that Python uses without looking at its source.

    Raises:
        PackagingError: a file cannot be compiled.
    """
    command = [
        *(python, "-s", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(installed), "-p", _LAYER_FOLDER, str(installed)),
    ]
    # The order of sets in byte code follows from the seed.
    result = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = (result.stdout.strip().splitlines() or result.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PackagingError(f"A package of the layer cannot be compiled by Python {PYTHON}: {reason.strip()}")


def _prune(installed: Path) -> None:
    for path in installed.rglob("*"):
        if path.is_file() and _is_unneeded(path.relative_to(installed)):
            path.unlink()


def _layer_files(installed: Path) -> dict[str, bytes]:
    return {
        f"python/{path.relative_to(installed).as_posix()}": path.read_bytes()
        for path in installed.rglob("*")
        if path.is_file()
    }


def _is_unneeded(name: Path) -> bool:
    """Return whether a file of an installed package is never read inside Lambda."""
    package = name.parts[0]
    if package == "bin" or "__pycache__" in name.parts or name.suffix == ".pyc":
        return True
    # pip records here when and from where the package was installed.
    if package.endswith(".dist-info"):
        return name.name not in ("METADATA", "LICENSE", "LICENSE.txt", "NOTICE", "NOTICE.txt")
    if package == "botocore":
        described = name.parts[1:2] == ("data",) and len(name.parts) > 3
        return described and name.parts[2] not in AWS_SERVICES
    if package == "boto3":
        return name.parts[1:2] == ("examples",)
    if package == "pyarrow":
        return _is_unneeded_in_pyarrow(name)
    return False


def _is_unneeded_in_pyarrow(name: Path) -> bool:
    """Return whether a file is a source, a test, or a native part that reading JSON and writing Parquet does not need.

    What remains has been checked: it imports and works. Every extension links the shared libraries of acero, compute,
    dataset and substrait, so those stay. Of the three names of a shared library, the one that the others link to stays.
    """
    if name.parts[1] in ("include", "includes", "src", "tests") or name.suffix in (".pxd", ".pxi", ".pyi", ".pyx"):
        return True
    file = name.name
    left_out = ("flight", "_s3", "_s3fs", "_gcsfs", "_azurefs", "_hdfs", "_orc", "_substrait.cpython", "_cpp_tests")
    if any(part in file for part in left_out) or "parquet_encryption" in file:
        return True
    versioned = file.partition(".so")[2].count(".")
    return file.startswith("libarrow_python") and versioned != 1


def _check_sizes(function: str, zipped: int, unzipped: int) -> None:
    if zipped > MAX_ZIP_BYTES or unzipped > MAX_UNZIPPED_BYTES:
        raise PackagingError(
            f"The {function} layer is {zipped / 1e6:.1f} MB ({unzipped / 1e6:.1f} MB unzipped), but Lambda accepts "
            f"at most {MAX_ZIP_BYTES / 1e6:.0f} MB ({MAX_UNZIPPED_BYTES / 1e6:.0f} MB): "
            f"remove a dependency from the group {function} in pyproject.toml and run `make lock`."
        )


if __name__ == "__main__":
    main()
