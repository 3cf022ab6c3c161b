"""Lambda functions: each runs from its deployed zip, in a process of its own."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import shutil
import threading
import time
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any
from unittest.mock import patch

from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.core.utils import iso_8601_datetime_with_nanoseconds

from embedded_aws.clock import SimulatedClock
from embedded_aws.iam.authorization import AccessDeniedError
from embedded_aws.runtime.role_sessions import SESSION_LIFETIME
from embedded_aws.runtime.step_log import StepLog
from embedded_aws.runtime.timers import InterruptedWorkError
from embedded_aws.server.server import AwsServer
from embedded_aws.services.lambda_.packages import PackageMissingError, Packages
from embedded_aws.services.lambda_.process import FunctionProcess, Reply
from embedded_aws.services.lambda_.runtimes import RuntimeNotAvailableError, check_runtime
from embedded_aws.services.logs.log_streams import LogWriter

_LOCK = "requirements.lock"
_RUNTIME_PACKAGES = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
"""What Python runtimes include, behind the function's own code and layers:
https://docs.aws.amazon.com/lambda/latest/dg/python-package.html#python-package-include-path."""
_SLEEP_SECONDS = 0.1
"""How often a function that sleeps in real time looks whether it must end."""

_LOG_TAIL = 4096
"""Bytes."""

_ARN_PARTS = 7
"""Of a function's ARN, before that of a version."""

_INCOMPLETE = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
"""What AWS says of a function without them."""

_FORGOTTEN = ("DeadLetterConfig", "LoggingConfig")
"""Settings of a function that moto drops."""


class InvalidRequestContentError(LambdaClientError):
    """The payload of a request is not JSON; AWS quotes its parser in the message."""

    def __init__(self, reason: str) -> None:
        message = f"Could not parse request body into json: Could not parse payload into json: {reason}"
        super().__init__("InvalidRequestContentException", message)


@dataclass(frozen=True)
class InvocationResult:
    """The result of an invocation."""

    request_id: str
    payload: str
    """JSON: the handler's result, or the error with `errorType` and `errorMessage`."""

    failed: bool
    """Whether `payload` is an error."""

    logs: str
    """The function's output, with Lambda's START, END and REPORT lines."""

    @property
    def error(self) -> str:
        """The error as one sentence; empty if there was none."""
        if not self.failed:
            return ""
        content = json.loads(self.payload)
        return f"{content['errorType']}: {content['errorMessage']}"


@dataclass
class _Environment:
    """An execution environment: a warm process."""

    process: FunctionProcess
    fingerprint: str
    """Identifies what the process was started from."""

    started_at: datetime
    access_key_id: str
    log_stream: str


class Functions:
    """Runs functions, keeps their processes warm, and replaces moto's Invoke.

    Args:
        server: AWS.
        clock: moved when a function sleeps in simulated time.
        steps: where invocations are recorded.
        folder: folder for unpacked code.
        any_python: whether functions of other versions of Python are accepted, and run in this one.
        before_time_passes: called before a function's sleep moves the clock.
    """

    def __init__(
        self,
        server: AwsServer,
        clock: SimulatedClock,
        steps: StepLog,
        folder: Path,
        *,
        any_python: bool,
        before_time_passes: Callable[[], object],
    ) -> None:
        self._any_python = any_python
        self._before_time_passes = before_time_passes
        self._server = server
        self._clock = clock
        self._steps = steps
        self._folder = folder
        self._packages = Packages(folder / "packages")
        self._logs = LogWriter(server)
        self._idle: dict[str, list[_Environment]] = {}
        # Includes busy ones: an interrupt may come during an invocation.
        self._processes: set[FunctionProcess] = set()
        self._running: list[str] = []
        self._lock = threading.Lock()
        self._building = threading.Lock()
        self._number = 0
        self._is_interrupted: Callable[[], bool] = _never
        self._in_real_time = False
        self._patches = ExitStack()

    @contextmanager
    def real_time(self, is_interrupted: Callable[[], bool]) -> Iterator[None]:
        """Let functions sleep in real time in this context.

        Args:
            is_interrupted: returns whether running functions must end.
        """
        self._in_real_time, self._is_interrupted = True, is_interrupted
        try:
            yield
        finally:
            self._in_real_time, self._is_interrupted = False, _never

    @property
    def in_real_time(self) -> bool:
        """Whether somebody may be waiting while time passes."""
        return self._in_real_time

    @property
    def running(self) -> tuple[str, ...]:
        """Names of the functions that are running, once for each invocation."""
        with self._lock:
            return tuple(self._running)

    def find(self, name_or_arn: str) -> LambdaFunction | None:
        """Return moto's function of a name or ARN, the latest version whatever the qualifier; None if there is none."""
        name = name_or_arn.split(":")[6] if name_or_arn.startswith("arn:") else name_or_arn
        return next((fn for fn in self._server.backend("lambda").list_functions() if fn.function_name == name), None)

    def new_request_id(self) -> str:
        """Return a new request id; the sequence is the same in every run."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"request-{self._next_number()}"))

    def state(self) -> Any:
        """Return the state to keep."""
        return self._number

    def restore(self, state: Any) -> None:
        """Continue from a kept state."""
        self._number = state

    def _next_number(self) -> int:
        with self._lock:
            self._number += 1
            return self._number

    def invoke(self, function: LambdaFunction, event: str, request_id: str | None = None) -> InvocationResult:
        """Run a function once and wait for its result.

        Args:
            function: moto's function.
            event: its input, as JSON.
            request_id: the id from an earlier attempt of the same asynchronous invocation.
        """
        request_id = request_id or self.new_request_id()
        begin, now = time.monotonic(), self._clock.now
        try:
            environment, reply = self._environment(function)
        except (AccessDeniedError, PackageMissingError, RuntimeNotAvailableError, zipfile.BadZipFile) as error:
            failure = {"errorType": "Runtime.InitError", "errorMessage": str(error)}
            environment, reply = None, Reply(None, failure, "", alive=False)
        invoked = time.monotonic()
        output = reply.output
        if environment is not None and reply.error is None:
            context = self._context(function, request_id, environment.log_stream)
            with (
                self._ending_if_interrupted(environment.process),
                self._noted_as_running(function),
                self._server.gate.waiting(),
            ):
                reply = environment.process.invoke(
                    event,
                    now=self._clock.now,
                    context=context,
                    trace_id=f"Root=1-{int(now.timestamp()):08x}-{request_id.replace('-', '')[:24]};Sampled=0",
                    seconds=float(function.timeout),
                    memory_mb=int(function.memory_size),
                )
            output += reply.output
        seconds = time.monotonic() - invoked + reply.slept
        result = _result(function, request_id, reply, output, seconds)
        if environment is not None:
            self._logs.write(
                environment.access_key_id,
                self._log_group(function),
                environment.log_stream,
                result.logs.splitlines(),
                self._clock.now,
            )
            self._release(function, environment, reply)
        self._steps.record(
            "invoke", function.function_name, result.error, ok=not result.failed, seconds=time.monotonic() - begin
        )
        return result

    def install(self, invoke_later: Callable[[LambdaFunction, str], None]) -> None:
        """Replace moto's Invoke, and keep the settings that moto drops.

        Args:
            invoke_later: accepts asynchronous invocations.
        """
        # A process that was killed may have left half of an archive.
        shutil.rmtree(self._folder, ignore_errors=True)

        def invoke(
            backend: LambdaBackend, name: str, qualifier: str | None, body: Any, headers: Any, response: dict[str, Any]
        ) -> bytes:
            function = backend.get_function(name, qualifier)
            kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
            event = _json_text(body)
            if kind == "DryRun":
                return b""
            if kind == "Event":
                invoke_later(function, event)
                return b""
            result = self.invoke(function, event)
            response["x-amz-executed-version"] = "$LATEST"
            response["x-amz-log-result"] = base64.b64encode(result.logs.encode()[-_LOG_TAIL:]).decode()
            if result.failed:
                response["x-amz-function-error"] = "Unhandled"
            return result.payload.encode()

        def invoke_by_moto(function: LambdaFunction, body: Any, _headers: Any, _response: Any) -> str:
            """Invoke asynchronously, as AWS does in all the services in which moto calls this."""
            invoke_later(function, _text(body))
            return ""

        set_up = LambdaResponse.setup_class

        def setup_class(
            response: LambdaResponse, request: Any, url: str, headers: Any, use_raw_body: bool = False
        ) -> None:
            # A payload that is not UTF-8 is the sender's error; moto would raise.
            set_up(response, request, url, headers, use_raw_body or request.path.endswith("/invocations"))

        for owner, name, replacement in (
            (LambdaResponse, "setup_class", setup_class),
            (LambdaBackend, "invoke", invoke),
            (LambdaFunction, "invoke", invoke_by_moto),
            *self._with_settings(),
        ):
            self._patches.enter_context(patch.object(owner, name, replacement))

    def close(self) -> None:
        """End every process and remove unpacked code."""
        self._patches.close()
        with self._lock:
            processes = list(self._processes)
            self._idle.clear()
        for process in processes:
            self._end(process)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _environment(self, function: LambdaFunction) -> tuple[_Environment, Reply]:
        """Return a warm environment of the function's current configuration, or a new one."""
        fingerprint = _fingerprint(function)
        # An environment keeps its initial credentials; Lambda, too, recycles environments after some hours.
        oldest = self._clock.now - SESSION_LIFETIME
        with self._lock:
            idle = self._idle.setdefault(function.function_name, [])
            fresh = [
                environment
                for environment in idle
                if environment.fingerprint == fingerprint and environment.started_at >= oldest
            ]
            stale = [environment for environment in idle if environment not in fresh]
            found = fresh.pop() if fresh else None
            idle[:] = fresh
        for environment in stale:
            self._end(environment.process)
        if found is not None:
            return found, Reply(None, None, "", alive=True)
        return self._start(function, fingerprint)

    def _start(self, function: LambdaFunction, fingerprint: str) -> tuple[_Environment, Reply]:
        # A kept account may come back in another Python.
        check_runtime({"Runtime": function.run_time}, any_python=self._any_python)
        with self._building:
            task_root = self._unpacked(function.code_bytes)
            paths = [task_root, *self._layers(function), self._packages.of_names(*_RUNTIME_PACKAGES)]
            clock_folder = self._packages.of_names("time-machine")
        number = self._next_number()
        home = self._folder / "tmp" / str(number)
        home.mkdir(parents=True)
        now = self._clock.now
        stream = f"{now:%Y/%m/%d}/[$LATEST]{uuid.uuid5(uuid.NAMESPACE_OID, f'environment-{number}').hex}"
        credentials = self._server.assume(
            function.role, "lambda.amazonaws.com", function.function_name, {"aws:SourceArn": function.function_arn}
        )
        environment = {
            **function.environment_vars,
            "AWS_ACCESS_KEY_ID": credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
            "AWS_SESSION_TOKEN": credentials.session_token or "",
            "AWS_ENDPOINT_URL": self._server.url,
            "AWS_REGION": self._server.region,
            "AWS_DEFAULT_REGION": self._server.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self._log_group(function),
            "AWS_LAMBDA_LOG_STREAM_NAME": stream,
            "LAMBDA_TASK_ROOT": str(task_root),
            "_HANDLER": function.handler,
            "HOME": str(home),
            "TMPDIR": str(home),
            "LANG": "en_US.UTF-8",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TZ": ":UTC",
        }
        process = FunctionProcess(
            environment=environment,
            folder=task_root,
            paths=paths,
            handler=str(function.handler),
            clock_folder=clock_folder,
            pass_time=self._pass_time,
            is_interrupted=self._must_end,
        )
        with self._lock:
            self._processes.add(process)
        with self._ending_if_interrupted(process), self._server.gate.waiting():
            reply = process.start(now, memory_mb=int(function.memory_size))
        return _Environment(process, fingerprint, now, credentials.access_key_id, stream), reply

    def _must_end(self) -> bool:
        return self._is_interrupted()

    def _pass_time(self, seconds: float) -> datetime:
        """Let a function sleep, and return the time afterwards."""
        if not self._in_real_time:
            self._before_time_passes()
            return self._clock.move_by(seconds)
        wake = self._clock.now + timedelta(seconds=seconds)
        while (left := (wake - self._clock.now).total_seconds()) > 0 and not self._is_interrupted():
            time.sleep(min(left, _SLEEP_SECONDS))
        return self._clock.now

    def _layers(self, function: LambdaFunction) -> Iterator[Path]:
        """Yield the import folder of each layer: the packages of its lock file if it has one, else its content."""
        for layer in function.layers:
            version = self._server.backend("lambda").layers_versions_by_arn(layer["Arn"])
            if version is None:
                raise PackageMissingError(f"The layer {layer['Arn']} no longer exists: deploy the function again.")
            folder = self._unpacked(version.code_bytes)
            lock = folder / _LOCK
            yield self._packages.of_lock(lock.read_text(encoding="utf-8")) if lock.is_file() else folder / "python"

    def _unpacked(self, archive: bytes) -> Path:
        folder = self._folder / "code" / hashlib.sha256(archive).hexdigest()[:16]
        if not folder.exists():
            with zipfile.ZipFile(io.BytesIO(archive)) as content:
                for name in content.namelist():
                    if name.startswith("/") or ".." in PurePosixPath(name).parts:
                        raise zipfile.BadZipFile(f"The archive contains {name}, which is outside its folder.")
                content.extractall(folder)
        return folder

    def _context(self, function: LambdaFunction, request_id: str, stream: str) -> dict[str, Any]:
        return {
            "aws_request_id": request_id,
            "function_name": function.function_name,
            "function_version": "$LATEST",
            "invoked_function_arn": function.function_arn,
            "memory_limit_in_mb": int(function.memory_size),
            "log_group_name": self._log_group(function),
            "log_stream_name": stream,
        }

    def _log_group(self, function: LambdaFunction) -> str:
        """Return the function's log group: the configured one, else Lambda's default."""
        logging = self._kept_settings(function).get("LoggingConfig", {})
        return str(logging.get("LogGroup") or f"/aws/lambda/{function.function_name}")

    def _with_settings(self) -> tuple[tuple[type, str, Callable[..., Any]], ...]:
        """Return replacements of moto's methods that keep and return the settings that it drops."""
        create, update = LambdaBackend.create_function, LambdaBackend.update_function_configuration
        describe, update_code = LambdaFunction.get_configuration, LambdaFunction.update_function_code

        def create_function(backend: LambdaBackend, spec: dict[str, Any]) -> LambdaFunction:
            self._check_runtime(spec)
            if not (spec.get("Runtime") and spec.get("Handler")):
                raise LambdaClientError("InvalidParameterValueException", _INCOMPLETE)
            created = create(backend, spec)
            function = backend.get_function(spec["FunctionName"])
            # Those of a deleted function of this name.
            self._server.extras.functions.pop(function.function_arn, None)
            self._keep_settings(function, spec)
            return created

        def get_configuration(function: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
            kept = self._kept_settings(function)
            logging = {"LogFormat": "Text", **kept.get("LoggingConfig", {}), "LogGroup": self._log_group(function)}
            return {**describe(function, on_create), **kept, "LoggingConfig": logging}

        def update_function(backend: LambdaBackend, name: str, qualifier: str, body: dict[str, Any]) -> Any:
            self._check_runtime(body)
            update(backend, name, qualifier, body)
            function = backend.get_function(name)
            if "EphemeralStorage" in body:
                function.ephemeral_storage = body["EphemeralStorage"]["Size"]
            function.kms_key_arn = body.get("KMSKeyArn", function.kms_key_arn)
            function.tracing_config = body.get("TracingConfig", function.tracing_config)
            self._keep_settings(function, body)
            return changed(function)

        def update_function_code(function: LambdaFunction, spec: dict[str, Any]) -> dict[str, Any]:
            self._check_runtime(spec)
            update_code(function, spec)
            if spec.get("Architectures") and not spec.get("DryRun"):
                function.architectures = spec["Architectures"]
            return changed(function)

        def changed(function: LambdaFunction) -> dict[str, Any]:
            function.last_modified = iso_8601_datetime_with_nanoseconds()
            described: dict[str, Any] = function.get_configuration()
            return described

        return (
            (LambdaBackend, "create_function", create_function),
            (LambdaBackend, "update_function_configuration", update_function),
            (LambdaFunction, "get_configuration", get_configuration),
            (LambdaFunction, "update_function_code", update_function_code),
        )

    def _check_runtime(self, specification: Mapping[str, Any]) -> None:
        """Answer a request for a function that cannot run here with an error."""
        try:
            check_runtime(specification, any_python=self._any_python)
        except RuntimeNotAvailableError as error:
            raise LambdaClientError("InvalidParameterValueException", str(error)) from error

    def _kept_settings(self, function: LambdaFunction) -> dict[str, Any]:
        """Return the settings that moto drops; a version's are those of the function."""
        return self._server.extras.function(":".join(function.function_arn.split(":")[:_ARN_PARTS]))

    def _keep_settings(self, function: LambdaFunction, spec: dict[str, Any]) -> None:
        """Keep the settings that moto drops."""
        kept = {key: spec[key] for key in _FORGOTTEN if spec.get(key)}
        if kept:
            self._server.extras.functions.setdefault(function.function_arn, {}).update(kept)

    def _release(self, function: LambdaFunction, environment: _Environment, reply: Reply) -> None:
        with self._lock:
            if reply.alive:
                self._idle.setdefault(function.function_name, []).append(environment)
                return
        self._end(environment.process)

    @contextmanager
    def _ending_if_interrupted(self, process: FunctionProcess) -> Iterator[None]:
        try:
            yield
        except InterruptedWorkError:
            self._end(process)
            raise

    @contextmanager
    def _noted_as_running(self, function: LambdaFunction) -> Iterator[None]:
        with self._lock:
            self._running.append(function.function_name)
        try:
            yield
        finally:
            with self._lock:
                self._running.remove(function.function_name)

    def _end(self, process: FunctionProcess) -> None:
        process.close()
        with self._lock:
            self._processes.discard(process)


def _never() -> bool:
    return False


def _fingerprint(function: LambdaFunction) -> str:
    """Return a text that changes with the function's configuration or code."""
    configuration = {key: value for key, value in function.get_configuration().items() if key != "LastModified"}
    return json.dumps(configuration, sort_keys=True, default=str)


def _text(body: Any) -> str:
    return (body.decode() if isinstance(body, bytes) else body) or "{}"


def _json_text(body: Any) -> str:
    """Return the payload of a request.

    Raises:
        InvalidRequestContentError: it is not JSON.
    """
    try:
        text = _text(body)
        json.loads(text)
    except ValueError as error:
        raise InvalidRequestContentError(str(error)) from error
    return text


def _result(function: LambdaFunction, request_id: str, reply: Reply, output: str, seconds: float) -> InvocationResult:
    error = reply.error
    payload = json.dumps(error) if error is not None else reply.result or "null"
    error_log = ""
    if error is not None:
        error_log = f"[ERROR] {error['errorType']}: {error['errorMessage']}\n" + "".join(error.get("stackTrace") or [])
    logs = (
        f"START RequestId: {request_id} Version: $LATEST\n{output}{error_log.rstrip()}\n"
        f"END RequestId: {request_id}\n"
        f"REPORT RequestId: {request_id}\tDuration: {seconds * 1000:.2f} ms\t"
        f"Memory Size: {function.memory_size} MB\tMax Memory Used: {reply.peak_mb} MB\n"
    )
    return InvocationResult(request_id, payload, error is not None, logs)
