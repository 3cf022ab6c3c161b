"""Which runtimes functions may have: each runs in a process of the Python that the embedded AWS itself runs in."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

OWN_RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
"""The runtime that functions really get."""

_PYTHON = re.compile(r"python3\.\d+")


class RuntimeNotAvailableError(Exception):
    """A function asks for a runtime that is not there."""


def check_runtime(specification: Mapping[str, Any], *, any_python: bool) -> None:
    """Check that a function can run here.

    Args:
        specification: of CreateFunction, UpdateFunctionConfiguration or UpdateFunctionCode.
        any_python: whether every version of Python is accepted, although functions run in this one.

    Raises:
        RuntimeNotAvailableError: it cannot; the message says what can.
    """
    code = specification.get("Code", {})
    if specification.get("PackageType") == "Image" or "ImageUri" in code or "ImageUri" in specification:
        raise RuntimeNotAvailableError("The embedded AWS runs functions from zip archives, not from images.")
    runtime = specification.get("Runtime")
    if runtime is None or runtime == OWN_RUNTIME:
        return
    if not _PYTHON.fullmatch(runtime):
        raise RuntimeNotAvailableError(
            f"The embedded AWS runs functions in Python 3 only, so their runtime cannot be {runtime}."
        )
    if not any_python:
        raise RuntimeNotAvailableError(
            f"The embedded AWS runs functions in its own Python, so their runtime must be {OWN_RUNTIME}, not {runtime};"
            " with EmbeddedAws(any_python=True) it may be any Python."
        )
