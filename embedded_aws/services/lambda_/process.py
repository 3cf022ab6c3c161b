"""One process that runs one function: started, asked, watched and ended here."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_INIT_SECONDS = 60.0
_WATCH_SECONDS = 0.05
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Reply:
    """What came of a start or an invocation.

    Attributes:
        result: the handler's result as JSON; None if there was an error.
        error: `errorType`, `errorMessage` and `stackTrace`; None if there was none.
        output: what was written to standard output and standard error meanwhile.
        alive: whether the process can take another invocation.
        peak_mb: the highest resident memory that was seen; 0 where the system does not tell.
        slept: seconds of simulated time that the function slept.
    """

    result: str | None
    error: dict[str, Any] | None
    output: str
    alive: bool
    peak_mb: int = 0
    slept: float = 0.0


class FunctionProcess:
    """A process with exactly the given environment, in a session of its own (so that Ctrl-C reaches only us).

    Args:
        pass_time: lets seconds of simulated time pass while the function sleeps, and returns the moment after.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        folder: Path,
        paths: list[Path],
        handler: str,
        clock_folder: Path,
        pass_time: Callable[[float], datetime],
    ) -> None:
        self._pass_time = pass_time
        self._setup = {"paths": [str(path) for path in paths], "handler": handler}
        request_read, request_write = os.pipe()
        answer_read, answer_write = os.pipe()
        command = [sys.executable, "-I", "-S", str(_BOOTSTRAP), str(request_read), str(answer_write), str(clock_folder)]
        try:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(request_read, answer_write),
                start_new_session=True,
            )
        except OSError:
            os.close(request_write)
            os.close(answer_read)
            raise
        finally:
            os.close(request_read)
            os.close(answer_write)
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        self._requests = request_write
        self._answers = answer_read
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        os.set_blocking(answer_read, False)
        self._closed = False

    def start(self, now: datetime, *, memory_mb: int) -> Reply:
        """Load the handler's module, within a minute; a process that could not is of no further use."""
        reply = self._ask({**self._setup, "now": now.isoformat()}, _INIT_SECONDS, memory_mb)
        return replace(reply, alive=reply.error is None)

    def invoke(
        self, event: str, *, now: datetime, context: dict[str, Any], trace_id: str, seconds: float, memory_mb: int
    ) -> Reply:
        """Run the handler once, at most for `seconds`, slept ones included, with `memory_mb` of resident memory."""
        request = {
            "event": event,
            "now": now.isoformat(),
            "context": context,
            "trace_id": trace_id,
            "seconds": seconds,
        }
        return self._ask(request, seconds, memory_mb)

    def close(self) -> None:
        """End the process and all it started."""
        if self._closed:
            return
        self._closed = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()
        os.close(self._requests)
        os.close(self._answers)

    def _ask(self, request: dict[str, Any], seconds: float, memory_mb: int) -> Reply:
        deadline = time.monotonic() + seconds
        answer, output, peak, slept = b"", b"", 0, 0.0
        self._tell(request)
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ)
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    message = f"Task timed out after {seconds:.2f} seconds"
                    return replace(self._killed("Sandbox.Timedout", message, output, peak), slept=slept)
                ready = selector.select(min(left, _WATCH_SECONDS))
                peak = max(peak, self._resident_mb())
                if peak > memory_mb:
                    return self._killed("Runtime.OutOfMemory", f"Runtime used {peak} of {memory_mb} MB", output, peak)
                for key, _ in ready:
                    chunk = _read(key.fd)
                    if key.fd == self._answers:
                        answer += chunk
                        if not chunk:
                            return self._exited(output, peak)
                    elif chunk:
                        output += chunk
                    else:
                        selector.unregister(key.fileobj)
                if not answer.endswith(b"\n"):
                    continue
                content = json.loads(answer)
                if "sleep" not in content:
                    break
                answer = b""
                span = self._let_sleep(content["sleep"], max(deadline - time.monotonic(), 0))
                deadline -= span
                slept += span
        output += _read_all(self._output.fileno())
        return Reply(
            content.get("result"),
            content.get("error"),
            output.decode(errors="replace"),
            alive=True,
            peak_mb=peak,
            slept=slept,
        )

    def _let_sleep(self, seconds: float, left: float) -> float:
        """Let time pass, and return how much; who would sleep beyond what is left is not woken."""
        span = min(seconds, left)
        now = self._pass_time(span)
        if span < left:
            self._tell({"now": now.isoformat()})
        return span

    def _tell(self, request: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):
            _write(self._requests, json.dumps(request).encode() + b"\n")

    def _exited(self, output: bytes, peak: int) -> Reply:
        """The process ended by itself, or the system ended it."""
        try:
            status = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            status = 0
        how = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        return self._killed("Runtime.ExitError", f"Runtime exited with error: {how}", output, peak)

    def _killed(self, kind: str, message: str, output: bytes, peak: int) -> Reply:
        output += _read_all(self._output.fileno())
        self.close()
        error = {"errorType": kind, "errorMessage": message}
        return Reply(None, error, output.decode(errors="replace"), alive=False, peak_mb=peak)

    def _resident_mb(self) -> int:
        """Resident memory; a limit of address space would not do, Arrow reserves far more than it uses."""
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_bytes().split()[1])
        except (OSError, IndexError):
            return 0  # No /proc on this system, or the process is gone.
        return pages * os.sysconf("SC_PAGE_SIZE") >> 20


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return b""


def _read_all(descriptor: int) -> bytes:
    content = b""
    while chunk := _read(descriptor):
        content += chunk
    return content
