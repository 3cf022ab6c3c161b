"""The script in a function's process: loads the handler, then serves one invocation after another.

It runs with neither site-packages nor the project on its path; it imports only the standard library, and `time_machine`
privately. Arguments: file descriptor of requests, file descriptor of responses, folder of `time_machine`.
A request or response is one line of JSON. When a running handler sleeps, `{"sleep": seconds}` goes out and
`{"now": moment}` comes back once simulated time has passed.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import logging
import os
import select
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

Handler = Callable[[Any, Any], Any]
Response = dict[str, Any]


@dataclass(frozen=True)
class LambdaContext:
    """The second argument of a handler: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""

    aws_request_id: str
    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: int
    log_group_name: str
    log_stream_name: str
    deadline: float
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the function is stopped."""
        return max(int((self.deadline - time.monotonic()) * 1000), 0)


def main() -> None:
    """Serve until the other side closes the pipe."""
    request_fd, response_fd, clock_folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    travel = private_time_machine(clock_folder)
    threading.Thread(target=end_with, args=(request_fd,), daemon=True).start()
    with os.fdopen(request_fd, "rb") as requests, os.fdopen(response_fd, "wb") as responses:
        setup = json.loads(requests.readline())
        traveller = travel(moment(setup["now"]), tick=True).start()
        sleeper = Sleeper(requests, responses, traveller)
        sleeper.install()
        sys.path[:0] = setup["paths"]
        sys.argv = [setup["handler"]]
        log_as_lambda_does()
        sleeper.begin()
        try:
            handler = load(setup["handler"])
        except BaseException as error:  # noqa: BLE001 - a module may raise anything, SystemExit too
            sleeper.end()
            send(responses, {"error": init_error(setup["handler"], error)})
            return
        sleeper.end()
        send(responses, {"ready": True})
        for line in requests:
            request = json.loads(line)
            traveller.move_to(moment(request["now"]))
            os.environ["_X_AMZN_TRACE_ID"] = request["trace_id"]
            sleeper.begin()
            response = invoke(handler, request)
            sleeper.end()
            send(responses, response)


def end_with(descriptor: int) -> None:
    """End this process once the other side of a pipe is gone, even while the handler runs."""
    watched = select.poll()
    watched.register(descriptor, 0)
    watched.poll()
    os._exit(1)


class Sleeper:
    """Makes `time.sleep` take simulated instead of real time, in any thread of the function.

    `time.monotonic` advances with it: loops that sleep until a deadline end, and the function's remaining time shrinks.
    """

    def __init__(self, requests: IO[bytes], responses: IO[bytes], traveller: Any) -> None:
        self._requests = requests
        self._responses = responses
        self._traveller = traveller
        self._slept_ns = 0
        self._monotonic_ns = time.monotonic_ns
        self._running = False
        # Held while talking to the other side: one sleep at a time, and no response during one.
        self._condition = threading.Condition()

    def install(self) -> None:
        """Replace Python's functions, also for modules imported later."""

        def moved_ns() -> int:
            return self._monotonic_ns() + self._slept_ns

        replacements = {"sleep": self.sleep, "monotonic_ns": moved_ns, "monotonic": lambda: moved_ns() / 1e9}
        for name, replacement in replacements.items():
            setattr(time, name, replacement)

    def begin(self) -> None:
        """Let the function's threads run."""
        with self._condition:
            self._running = True
            self._condition.notify_all()

    def end(self) -> None:
        """Freeze sleeping threads that the function left behind until its next invocation, as Lambda does."""
        with self._condition:
            self._running = False

    def sleep(self, seconds: float, /) -> None:
        """Sleep like `time.sleep`; threads may sleep concurrently."""
        if not seconds >= 0:
            raise ValueError("sleep length must be non-negative")
        wake = time.monotonic() + seconds
        with self._condition:
            self._condition.wait_for(lambda: self._running)
            left = wake - time.monotonic()
            if left > 0:
                self._pass(left)

    def _pass(self, seconds: float) -> None:
        begin = self._monotonic_ns()
        send(self._responses, {"sleep": seconds})
        line = self._requests.readline()
        if not line:
            raise SystemExit("The other side is gone.")
        now = moment(json.loads(line)["now"])
        # Unlike a new destination, a shift is a single assignment: other threads read the clock meanwhile.
        self._traveller.shift(now - dt.datetime.now())  # noqa: DTZ005 - the process's zone is UTC
        # What passed in real time already shows in the real clock.
        self._slept_ns += max(int(seconds * 1e9) - (self._monotonic_ns() - begin), 0)


def private_time_machine(folder: str) -> Any:
    """Return `time_machine.travel`; the module stays loaded because its compiled part looks it up."""
    sys.path.insert(0, folder)
    travel = importlib.import_module("time_machine").travel
    sys.path.remove(folder)
    return travel


def moment(text: str) -> dt.datetime:
    """Parse a moment as a naive datetime: travelling to one leaves the process's time zone alone."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=None)


def log_as_lambda_does() -> None:
    """Log to standard output through one root handler, as the managed runtime does."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper here
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(asctime)s\t%(message)s"))
    logging.getLogger().addHandler(handler)


def load(name: str) -> Handler:
    """Import the function `package.module.function`."""
    module, _, function = name.replace("/", ".").rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def init_error(name: str, error: BaseException) -> Response:
    """Return the managed runtime's error for a handler that cannot be loaded."""
    module, _, function = name.rpartition(".")
    if isinstance(error, ImportError):
        described = "Runtime.ImportModuleError", f"Unable to import module '{module}': {error}"
    elif isinstance(error, SyntaxError):
        described = "Runtime.UserCodeSyntaxError", f"Syntax error in module '{module}': {error}"
    elif isinstance(error, AttributeError) and f"'{function}'" in str(error):
        described = "Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{module}'"
    else:
        described = type(error).__name__, str(error)
    return {"errorType": described[0], "errorMessage": described[1], "requestId": "", "stackTrace": stack(error)}


def invoke(handler: Handler, request: dict[str, Any]) -> Response:
    """Call the handler once."""
    context = LambdaContext(**request["context"], deadline=time.monotonic() + request["seconds"])
    try:
        result = handler(json.loads(request["event"]), context)
    except Exception as error:  # noqa: BLE001 - what a handler raises is its response
        return {
            "error": {
                "errorMessage": str(error),
                "errorType": type(error).__name__,
                "requestId": context.aws_request_id,
                "stackTrace": stack(error),
            }
        }
    try:
        return {"result": json.dumps(result, ensure_ascii=False)}
    except (TypeError, ValueError) as error:
        return {
            "error": {
                "errorMessage": f"Unable to marshal response: {error}",
                "errorType": "Runtime.MarshalError",
                "requestId": context.aws_request_id,
                "stackTrace": [],
            }
        }


def stack(error: BaseException) -> list[str]:
    """Return the frames of an error except those of this file."""
    frames = traceback.extract_tb(error.__traceback__)
    return traceback.format_list([frame for frame in frames if frame.filename != __file__])


def send(responses: IO[bytes], response: Response) -> None:
    """Write one response, after everything the handler printed."""
    sys.stdout.flush()
    sys.stderr.flush()
    responses.write(json.dumps(response).encode() + b"\n")
    responses.flush()


if __name__ == "__main__":
    main()
