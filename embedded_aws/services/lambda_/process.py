"""The process of a function: started, invoked, monitored and ended here."""

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

from embedded_aws.runtime.timers import InterruptedWorkError

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_INIT_SECONDS = 60.0
_WATCH_SECONDS = 0.05
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Reply:
    """The outcome of a start or an invocation."""

    result: str | None
    """The handler's result as JSON; None if there was an error."""

    error: dict[str, Any] | None
    """`errorType`, `errorMessage` and `stackTrace`; None if there was no error."""

    output: str
    """What was written to standard output and standard error."""

    alive: bool
    """Whether the process can take another invocation."""

    peak_mb: int = 0
    """Highest resident memory observed; 0 if the system does not report it."""

    slept: float = 0.0
    """Seconds of simulated time that the function slept."""


class FunctionProcess:
    """A process with exactly the given environment, in its own session (Ctrl-C does not reach it).

    Args:
        pass_time: called when the function sleeps: advances simulated time by seconds and returns the new time.
        is_interrupted: returns whether to end the function at once.
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
        is_interrupted: Callable[[], bool],
    ) -> None:
        self._pass_time = pass_time
        self._is_interrupted = is_interrupted
        self._setup = {"paths": [str(path) for path in paths], "handler": handler}
        request_read, request_write = os.pipe()
        response_read, response_write = os.pipe()
        script = [str(_BOOTSTRAP), str(request_read), str(response_write), str(clock_folder)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", *script],
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(request_read, response_write),
                start_new_session=True,
            )
        except OSError:
            os.close(request_write)
            os.close(response_read)
            raise
        finally:
            os.close(request_read)
            os.close(response_write)
        assert self._process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        self._requests = request_write
        self._responses = response_read
        self._output = self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        os.set_blocking(response_read, False)
        self._closed = False

    def start(self, now: datetime, *, memory_mb: int) -> Reply:
        """Load the handler's module within a minute; after a failure the process cannot be used.

        Raises:
            InterruptedWorkError: the process was ended.
        """
        reply = self._exchange({**self._setup, "now": now.isoformat()}, _INIT_SECONDS, memory_mb)
        return replace(reply, alive=reply.error is None)

    def invoke(
        self, event: str, *, now: datetime, context: dict[str, Any], trace_id: str, seconds: float, memory_mb: int
    ) -> Reply:
        """Run the handler once, for at most `seconds`, including sleep, with at most `memory_mb` of resident memory.

        Raises:
            InterruptedWorkError: the process was ended.
        """
        request = {
            "event": event,
            "now": now.isoformat(),
            "context": context,
            "trace_id": trace_id,
            "seconds": seconds,
        }
        return self._exchange(request, seconds, memory_mb)

    def close(self) -> None:
        """Kill the process and its children."""
        if self._closed:
            return
        self._closed = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()
        os.close(self._requests)
        os.close(self._responses)

    def _exchange(self, request: dict[str, Any], seconds: float, memory_mb: int) -> Reply:
        deadline = time.monotonic() + seconds
        line, output, peak, slept = b"", b"", 0, 0.0
        self._send(request)
        with selectors.DefaultSelector() as selector:
            selector.register(self._responses, selectors.EVENT_READ)
            selector.register(self._output, selectors.EVENT_READ)
            while True:
                self._end_if_interrupted()
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
                    if key.fd == self._responses:
                        line += chunk
                        if not chunk:
                            return self._exited(output, peak)
                    elif chunk:
                        output += chunk
                    else:
                        selector.unregister(key.fileobj)
                if not line.endswith(b"\n"):
                    continue
                content = json.loads(line)
                if "sleep" not in content:
                    break
                line = b""
                begin = time.monotonic()
                span = self._pass_time_asleep(content["sleep"], max(deadline - begin, 0))
                simulated = max(span - (time.monotonic() - begin), 0)
                deadline -= simulated
                slept += simulated
        output += _read_all(self._output.fileno())
        return Reply(
            content.get("result"),
            content.get("error"),
            output.decode(errors="replace"),
            alive=True,
            peak_mb=peak,
            slept=slept,
        )

    def _end_if_interrupted(self) -> None:
        if self._is_interrupted():
            self.close()
            raise InterruptedWorkError

    def _pass_time_asleep(self, seconds: float, left: float) -> float:
        """Let simulated time pass and return the seconds; a sleep longer than `left` never returns."""
        span = min(seconds, left)
        now = self._pass_time(span)
        if span < left:
            self._send({"now": now.isoformat()})
        return span

    def _send(self, request: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):
            _write(self._requests, json.dumps(request).encode() + b"\n")

    def _exited(self, output: bytes, peak: int) -> Reply:
        """Return the reply for a process that exited or was killed by the system."""
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
        """Return resident memory; limiting address space would not work, as Arrow reserves far more than it uses."""
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
