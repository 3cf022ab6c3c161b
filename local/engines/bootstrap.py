"""What runs in a function's own process: loads the handler, then answers one invocation after the other.

Started as a script with neither site-packages nor the project on its path; it imports nothing but Python's own modules,
and `time_machine` in private. Arguments: file descriptor of requests, of answers, folder of `time_machine`.
A request or an answer is one line of JSON.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

Handler = Callable[[Any, Any], Any]
Answer = dict[str, Any]


@dataclass(frozen=True)
class Context:
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
        """Milliseconds until the function is stopped."""
        return max(int((self.deadline - time.monotonic()) * 1000), 0)


def main() -> None:
    """Serve until the other side closes the pipe."""
    request_fd, answer_fd, clock_folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    travel = private_time_machine(clock_folder)
    with os.fdopen(request_fd, "rb") as requests, os.fdopen(answer_fd, "wb") as answers:
        setup = json.loads(requests.readline())
        traveller = travel(moment(setup["now"]), tick=True).start()
        sys.path[:0] = setup["paths"]
        sys.argv = [setup["handler"]]
        log_as_lambda_does()
        try:
            handler = load(setup["handler"])
        except BaseException as error:  # noqa: BLE001 - a module may raise anything, SystemExit too
            send(answers, {"error": init_error(setup["handler"], error)})
            return
        send(answers, {"ready": True})
        for line in requests:
            request = json.loads(line)
            traveller.move_to(moment(request["now"]))
            os.environ["_X_AMZN_TRACE_ID"] = request["trace_id"]
            send(answers, invoke(handler, request))


def private_time_machine(folder: str) -> Any:
    """`time_machine.travel`; the module stays loaded, since its compiled part looks for it there."""
    sys.path.insert(0, folder)
    travel = importlib.import_module("time_machine").travel
    sys.path.remove(folder)
    return travel


def moment(text: str) -> dt.datetime:
    """A naive datetime: travelling to one leaves the process's time zone alone."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=None)


def log_as_lambda_does() -> None:
    """One root handler to standard output, as the managed runtime sets up."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a TextIOWrapper here
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(asctime)s\t%(message)s"))
    logging.getLogger().addHandler(handler)


def load(name: str) -> Handler:
    """The function of `package.module.function`."""
    module, _, function = name.replace("/", ".").rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def init_error(name: str, error: BaseException) -> Answer:
    """The error of a handler that cannot be loaded, named as the managed runtime names it."""
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


def invoke(handler: Handler, request: dict[str, Any]) -> Answer:
    """Call the handler once."""
    context = Context(**request["context"], deadline=time.monotonic() + request["seconds"])
    try:
        result = handler(json.loads(request["event"]), context)
    except Exception as error:  # noqa: BLE001 - what a handler raises is its answer
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
    """The frames of an error without those of this file."""
    frames = traceback.extract_tb(error.__traceback__)
    return traceback.format_list([frame for frame in frames if frame.filename != __file__])


def send(answers: IO[bytes], answer: Answer) -> None:
    """Write one answer, after all that the handler printed."""
    sys.stdout.flush()
    sys.stderr.flush()
    answers.write(json.dumps(answer).encode() + b"\n")
    answers.flush()


if __name__ == "__main__":
    main()
