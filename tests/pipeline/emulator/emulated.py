"""Runs a function under Amazon's emulator and Amazon's client of Lambda's runtime interface.

How the emulator is invoked: https://github.com/aws/aws-lambda-runtime-interface-emulator#readme.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.pipeline.runtime_client import START, Outcome

_PATH = "/2015-03-31/functions/function/invocations"
_TIMEOUT = 120


def invoke_emulated(
    emulator: Path,
    *,
    python: str,
    handler: str,
    event: Any,
    seconds: int,
    paths: list[Path],
    environment: Mapping[str, str],
) -> Outcome:
    """Run a handler once.

    Args:
        emulator: its program.
        python: Lambda's version of Python.
        handler: as the function's configuration names it.
        event: what the handler is called with.
        seconds: the function's timeout.
        paths: the code, the layer and the client, in the order in which Lambda looks for modules.
        environment: the function's whole environment.

    Raises:
        TimeoutError: the emulator did not start, or the function did not answer.
    """
    address, runtime_address = _free_addresses()
    listening = ("--runtime-interface-emulator-address", address, "--runtime-api-address", runtime_address)
    process = subprocess.Popen(
        # The emulator takes its last argument for the handler's name, and the client its first.
        [emulator, *listening, python, "-I", "-S", "-B", "-c", START, handler, *map(str, paths)],
        cwd=paths[0],
        env={**environment, "_HANDLER": handler, "AWS_LAMBDA_FUNCTION_TIMEOUT": str(seconds)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    content = None
    try:
        content = _post(f"http://{address}{_PATH}", json.dumps(event).encode(), process)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        printed = process.communicate()[0].decode()
    if content is None:
        raise TimeoutError(f"{handler} did not answer; the emulator printed: {printed}")
    # The emulator passes on what the function has answered, an error as well.
    return Outcome(not (isinstance(content, dict) and "errorType" in content), content, printed)


def _post(url: str, body: bytes, process: subprocess.Popen[bytes]) -> Any:
    """Return the answer as soon as the emulator listens; None if it does not, or answers nothing."""
    until = time.monotonic() + _TIMEOUT
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body), timeout=_TIMEOUT) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.loads(error.read() or b"null")
        except urllib.error.URLError:
            time.sleep(0.05)
    return None


def _free_addresses() -> tuple[str, str]:
    """Return two addresses: of the emulator, and of the interface to which the client talks."""
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        first, second = (f"127.0.0.1:{each.getsockname()[1]}" for each in (one, other))
    return first, second
