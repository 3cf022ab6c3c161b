"""Imports a handler as Lambda does: in its version of Python, which sees only the code archive and the layer."""

from __future__ import annotations

import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline import packaging
from pipeline.packaging import SHARED_LAYERS, build_code, build_layer

_IMPORT = """
import importlib, resource, sys
sys.path[:0] = sys.argv[2:]
before = resource.getrusage(resource.RUSAGE_SELF)
importlib.import_module(f"handlers.{sys.argv[1]}.handler")
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""
_ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "eu-central-1",
    "POWERTOOLS_METRICS_NAMESPACE": "bench",
    "POWERTOOLS_SERVICE_NAME": "bench",
}


def lambdas_python(patch: pytest.MonkeyPatch) -> str:
    """Return a Python of Lambda's version, for which layers are built.

    On a machine without one, Lambda's version is taken to be that of the Python that runs the tests.
    """
    if found := packaging.byte_code_compiler():
        return found
    patch.setattr(packaging, "PYTHON", "{}.{}".format(*sys.version_info[:2]))
    return sys.executable


def unpack(function: str, folder: Path) -> list[Path]:
    """Unpack the code archive and the layer for this machine, and return the folders to import from."""
    architecture = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    layer = build_layer(SHARED_LAYERS.get(function, function), architecture)
    for name, archive in (("code", build_code()), ("layer", layer)):
        with zipfile.ZipFile(archive.path) as content:
            content.extractall(folder / name)
    return [folder / "code", folder / "layer" / "python"]


def without_byte_code(paths: list[Path]) -> None:
    """Delete the byte code in folders."""
    for file in [file for path in paths for file in path.rglob("*.pyc")]:
        file.unlink()


def import_seconds(python: str, function: str, paths: list[Path]) -> float:
    """Return the CPU seconds that the import of a handler takes; as in Lambda, nothing can be written."""
    command = [python, "-I", "-S", "-B", "-c", _IMPORT, function, *map(str, paths)]
    done = subprocess.run(command, env=_ENVIRONMENT, check=True, capture_output=True, text=True)
    return float(done.stdout)
