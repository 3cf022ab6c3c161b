"""Runs a function under Amazon's client of Lambda's runtime interface, in a Python that sees only its archives.

Interface: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Here it serves a single invocation.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_PREFIX = "/2018-06-01/runtime/"
_REQUEST_ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
_TIMEOUT = 120
START = "import sys; sys.path[:0] = sys.argv[2:]; from awslambdaric.__main__ import main; main(sys.argv[:2])"
"""Runs the client in Python, with the handler's name and the paths of modules as arguments."""


@dataclass(frozen=True)
class Outcome:
    """What the client has reported of an invocation."""

    succeeded: bool
    """Whether the handler returned."""
    content: Any
    """What it returned, or the error."""
    printed: str = ""
    """What the function has printed."""


def invoke(
    python: str, handler: str, event: Any, *, arn: str, seconds: int, paths: list[Path], environment: Mapping[str, str]
) -> Outcome:
    """Run a handler once.

    Args:
        python: Lambda's version of Python.
        handler: as the function's configuration names it.
        event: what the handler is called with.
        arn: the function's.
        seconds: the function's timeout.
        paths: the code, the layer and the client, in the order in which Lambda looks for modules.
        environment: the function's whole environment.

    Raises:
        TimeoutError: the client ended or reported nothing.
    """
    with _runtime_interface(json.dumps(event), arn, seconds) as (address, reported):
        process = subprocess.Popen(
            [python, "-I", "-S", "-B", "-c", START, handler, *map(str, paths)],
            cwd=paths[0],
            env={**environment, "AWS_LAMBDA_RUNTIME_API": address, "_HANDLER": handler},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        outcome = None
        with suppress(queue.Empty):
            outcome = reported.get(timeout=_TIMEOUT)
        process.kill()
        printed = process.communicate()[0].decode()
    if outcome is None:
        raise TimeoutError(f"{handler} reported nothing; it printed: {printed}")
    return replace(outcome, printed=printed)


@contextmanager
def _runtime_interface(event: str, arn: str, seconds: int) -> Iterator[tuple[str, queue.Queue[Outcome]]]:
    """Provide the interface's address, and where the outcome comes."""
    reported: queue.Queue[Outcome] = queue.Queue()
    ended = threading.Event()

    class Interface(BaseHTTPRequestHandler):
        served = False

        def do_GET(self) -> None:
            if self.path != f"{_PREFIX}invocation/next":
                self.send_error(404)
                return
            if Interface.served:
                # Lambda freezes a function until its next invocation.
                ended.wait()
                return
            Interface.served = True
            self._answer(
                200,
                event.encode(),
                {
                    "Lambda-Runtime-Aws-Request-Id": _REQUEST_ID,
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + seconds) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": arn,
                    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0",
                },
            )

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(202, b'{"status":"OK"}', {})
            # Otherwise it is `invocation/<id>/error` or `init/error`.
            succeeded = self.path == f"{_PREFIX}invocation/{_REQUEST_ID}/response"
            reported.put(Outcome(succeeded, json.loads(content)))

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Interface)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}", reported
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()
