"""Lambda functions, run from their deployed zip exactly as configured."""

from __future__ import annotations

import base64
import importlib.metadata
import json
import os
import re
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from embedded_aws.services.lambda_.runtimes import OWN_RUNTIME
from tests.embedded_aws.stage import ACCOUNT, REGION, START, Stage, zipped
from tests.thoroughness import sampled

ECHO = """
def handler(event, context):
    return event
"""


def pins(*names: str) -> str:
    return "".join(f"{name}=={importlib.metadata.version(name)} \\\n    --hash=sha256:0\n" for name in names)


def test_environment_is_the_functions_and_lambdas_only(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_PARENT", "leak")
    stage.function(
        "env",
        """
        import os
        def handler(event, context):
            return dict(os.environ)
        """,
        Environment={"Variables": {"COLOUR": "red"}},
    )
    seen = stage.invoke("env")["Payload"]
    assert seen.pop("COLOUR") == "red"
    assert seen.pop("AWS_ENDPOINT_URL") == stage.server.url
    assert seen.pop("AWS_REGION") == seen.pop("AWS_DEFAULT_REGION") == REGION
    assert seen.pop("AWS_LAMBDA_FUNCTION_NAME") == "env"
    assert seen.pop("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") == "512"
    assert seen.pop("AWS_LAMBDA_LOG_GROUP_NAME") == "/aws/lambda/env"
    assert seen.pop("TZ") == ":UTC"
    assert seen.pop("_HANDLER") == "main.handler"
    assert Path(seen.pop("HOME")).is_relative_to(stage.folder)
    assert Path(seen.pop("TMPDIR")).is_relative_to(stage.folder)
    assert Path(seen.pop("LAMBDA_TASK_ROOT")).is_relative_to(stage.folder)
    assert set(seen) == {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "LANG",
        "PATH",
        "_X_AMZN_TRACE_ID",
    } | ({"LC_CTYPE"} & set(seen))
    assert seen["AWS_ACCESS_KEY_ID"] != stage.server.owner.access_key_id


OTHER_PYTHON = f"python3.{sys.version_info.minor + 1}"


@pytest.mark.parametrize(
    ("runtime", "message"),
    [
        (
            OTHER_PYTHON,
            (
                f"The embedded AWS runs functions in its own Python, so their runtime must be {OWN_RUNTIME}, not"
                f" {OTHER_PYTHON}; with EmbeddedAws(any_python=True) it may be any Python."
            ),
        ),
        ("nodejs22.x", "The embedded AWS runs functions in Python 3 only, so their runtime cannot be nodejs22.x."),
    ],
)
def test_a_runtime_that_is_not_there_is_refused(stage: Stage, runtime: str, message: str) -> None:
    functions, role = stage.client("lambda"), stage.role("echo", "lambda.amazonaws.com")
    with pytest.raises(functions.exceptions.InvalidParameterValueException, match=re.escape(message)):
        stage.function("echo", ECHO, Role=role, Runtime=runtime)
    assert functions.list_functions()["Functions"] == []
    stage.function("echo", ECHO, Role=role)
    with pytest.raises(functions.exceptions.InvalidParameterValueException, match=re.escape(message)):
        functions.update_function_configuration(FunctionName="echo", Runtime=runtime)
    assert functions.get_function_configuration(FunctionName="echo")["Runtime"] == OWN_RUNTIME


def test_a_function_in_an_image_is_refused(stage: Stage) -> None:
    functions = stage.client("lambda")
    image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/echo:latest"
    role = stage.role("echo", "lambda.amazonaws.com")
    refused = functions.exceptions.InvalidParameterValueException
    for package in ({"PackageType": "Image"}, {"Runtime": OWN_RUNTIME, "Handler": "main.handler"}):
        with pytest.raises(refused, match="from zip archives, not from images"):
            functions.create_function(FunctionName="echo", Code={"ImageUri": image}, Role=role, **package)
    stage.function("echo", ECHO, Role=role)
    with pytest.raises(refused, match="from zip archives, not from images"):
        functions.update_function_code(FunctionName="echo", ImageUri=image)
    assert stage.invoke("echo", 1)["Payload"] == 1


@pytest.mark.parametrize("missing", ["Runtime", "Handler"])
def test_a_zip_needs_a_runtime_and_a_handler(stage: Stage, missing: str) -> None:
    functions, role = stage.client("lambda"), stage.role("echo", "lambda.amazonaws.com")
    given = {"Runtime": OWN_RUNTIME, "Handler": "main.handler"}
    given.pop(missing)
    with pytest.raises(
        functions.exceptions.InvalidParameterValueException, match="Runtime and Handler are mandatory parameters"
    ):
        functions.create_function(FunctionName="echo", Code={"ZipFile": zipped({"main.py": ECHO})}, Role=role, **given)


def test_any_python_runs_in_this_one_if_the_cloud_is_told_so(tmp_path: Path) -> None:
    with Stage(tmp_path, any_python=True) as stage:
        code = """
            import sys
            def handler(event, context):
                return f"python{sys.version_info.major}.{sys.version_info.minor}"
            """
        stage.function("version", code, Runtime=OTHER_PYTHON)
        assert stage.client("lambda").get_function_configuration(FunctionName="version")["Runtime"] == OTHER_PYTHON
        assert stage.invoke("version")["Payload"] == OWN_RUNTIME
        with pytest.raises(ClientError, match=r"in Python 3 only, so their runtime cannot be java21\."):
            stage.function("java", ECHO, Runtime="java21")


def test_a_kept_function_of_another_python_does_not_run(tmp_path: Path) -> None:
    with Stage(tmp_path / "work", data=tmp_path / "data", any_python=True) as stage:
        stage.function("echo", ECHO, Runtime=OTHER_PYTHON)
    with Stage(tmp_path / "work", data=tmp_path / "data") as stage:
        answer = stage.invoke("echo")
        assert answer["FunctionError"] == "Unhandled"
        assert answer["Payload"]["errorType"] == "Runtime.InitError"
        assert f"must be {OWN_RUNTIME}, not {OTHER_PYTHON}" in answer["Payload"]["errorMessage"]


def test_only_what_the_lock_lists_and_boto3_can_be_imported(stage: Stage) -> None:
    code = """
        import importlib, importlib.metadata
        def handler(event, context):
            found = {}
            for name in event:
                try:
                    importlib.import_module(name)
                    found[name] = True
                except ModuleNotFoundError as error:
                    found[name] = error.name == name
            return [found, sorted(one.name for one in importlib.metadata.distributions())]
        """
    stage.function("some", code, lock=pins("sqlglot"))
    found, distributions = stage.invoke("some", ["sqlglot", "boto3", "dateutil.parser", "sqlite3"])["Payload"]
    assert all(found.values())
    runtime = ["boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six"]
    assert distributions == [*runtime, "sqlglot", "urllib3"]
    for name in ("yaml", "local", "handlers"):
        stage.function(f"without-{name}", f"import {name}\n{ECHO}", lock=pins("six"))
    for name in ("yaml", "local", "handlers"):
        answer = stage.invoke(f"without-{name}")
        assert answer["FunctionError"] == "Unhandled"
        assert answer["Payload"]["errorType"] == "Runtime.ImportModuleError"
        assert answer["Payload"]["errorMessage"] == f"Unable to import module 'main': No module named '{name}'"


@pytest.mark.slow
def test_a_layer_comes_before_what_the_runtime_includes(stage: Stage) -> None:
    own = zipped({"python/six.py": "__version__ = 'own'"})
    layer = stage.client("lambda").publish_layer_version(LayerName="own", Content={"ZipFile": own})
    code = """
        import six
        def handler(event, context):
            return six.__version__
        """
    stage.function("own", code, Layers=[layer["LayerVersionArn"]])
    assert stage.invoke("own")["Payload"] == "own"


@pytest.mark.slow
def test_compiled_and_namespace_packages_are_whole(stage: Stage) -> None:
    stage.function(
        "compiled",
        """
        import importlib.util, pyarrow, pyarrow.parquet, isal.igzip, google.protobuf
        def handler(event, context):
            return [pyarrow.table({"a": [1, 2]}).num_rows, importlib.util.find_spec("google.rpc") is not None]
        """,
        lock=pins("pyarrow", "isal", "protobuf"),
    )
    assert stage.invoke("compiled")["Payload"] == [2, False]


@pytest.mark.parametrize(
    ("lock", "said"),
    sampled(
        [
            (
                "no-such-package==1.0 \\\n",
                "The layer lists no-such-package 1.0, which is not installed: run make setup.",
            ),
            ("six==0.1\n", f"The layer lists six 0.1, but {importlib.metadata.version('six')} is installed"),
        ]
    ),
)
def test_a_lock_that_is_not_installed_here_is_a_clear_error(stage: Stage, lock: str, said: str) -> None:
    stage.function("wrong", ECHO, lock=lock)
    assert stage.invoke("wrong")["Payload"]["errorMessage"].startswith(said)


@pytest.mark.slow
def test_a_pin_for_other_systems_is_ignored(stage: Stage) -> None:
    stage.function("marked", ECHO, lock="no-such-package==1.0 ; sys_platform == 'win32' \\\n" + pins("six"))
    assert stage.invoke("marked", {"a": 1})["Payload"] == {"a": 1}


def test_the_context_describes_the_invocation(stage: Stage) -> None:
    arn = stage.function(
        "context",
        """
        def handler(event, context):
            left = context.get_remaining_time_in_millis()
            return [context.function_name, context.memory_limit_in_mb, context.invoked_function_arn,
                    context.log_group_name, context.function_version, 30_000 < left <= 60_000, context.aws_request_id]
        """,
        Timeout=60,
    )
    first, second = stage.invoke("context")["Payload"], stage.invoke("context")["Payload"]
    assert first[:-1] == ["context", 512, arn, "/aws/lambda/context", "$LATEST", True]
    assert first[-1] != second[-1]


def test_each_invocation_sees_the_simulated_clock_at_import_too(stage: Stage) -> None:
    stage.function(
        "clock",
        """
        import datetime, os, time
        born = datetime.datetime.now(datetime.UTC)
        def handler(event, context):
            return [born.isoformat(), datetime.datetime.now(datetime.UTC).isoformat(), time.time(), os.getpid()]
        """,
    )
    born, seen, _, process = stage.invoke("clock")["Payload"]
    assert born.startswith("2026-11-23T06:00:0")
    assert seen.startswith("2026-11-23T06:00:0")
    stage.run_for(hours=1)
    again, later, seconds, same = stage.invoke("clock")["Payload"]
    assert (again, same) == (born, process), "the process was kept warm"
    assert later.startswith("2026-11-23T07:00:0")
    assert abs(seconds - (START + timedelta(hours=1)).timestamp()) < 30


@pytest.mark.slow
def test_an_environment_ends_with_its_credentials(stage: Stage) -> None:
    stage.function("keys", "import os\ndef handler(event, context): return os.environ['AWS_ACCESS_KEY_ID']\n")
    first = stage.invoke("keys")["Payload"]
    assert stage.invoke("keys")["Payload"] == first
    stage.run_for(days=8)
    assert stage.invoke("keys")["Payload"] != first


def test_a_changed_function_runs_its_new_code_and_settings(stage: Stage) -> None:
    code = "import os\ndef handler(event, context): return ['{}', os.environ.get('A')]\n"
    stage.function("changing", code.format("old"))
    assert stage.invoke("changing")["Payload"] == ["old", None]
    stage.client("lambda").update_function_code(
        FunctionName="changing", ZipFile=zipped({"main.py": code.format("new")})
    )
    stage.client("lambda").update_function_configuration(FunctionName="changing", Environment={"Variables": {"A": "b"}})
    assert stage.invoke("changing")["Payload"] == ["new", "b"]


def test_what_a_handler_raises_comes_back_with_its_stack(stage: Stage) -> None:
    stage.function(
        "failing",
        """
        class TooBadError(Exception): pass
        def handler(event, context):
            print("so far so good")
            raise TooBadError("the reason")
        """,
    )
    answer = stage.invoke("failing")
    assert answer["FunctionError"] == "Unhandled"
    error = answer["Payload"]
    assert (error["errorType"], error["errorMessage"]) == ("TooBadError", "the reason")
    assert len(error["stackTrace"]) == 1
    assert 'raise TooBadError("the reason")' in error["stackTrace"][0]
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "so far so good" in tail
    assert "[ERROR] TooBadError: the reason" in tail
    step = stage.steps("invoke")[-1]
    assert (step.name, step.detail, step.ok) == ("failing", "TooBadError: the reason", False)
    assert stage.invoke("failing")["Payload"]["errorType"] == "TooBadError", "the process lives on"


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    sampled(
        [
            ("threading.Event().wait(30)", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
            ("os._exit(3)", "Runtime.ExitError", "Runtime exited with error: exit status 3"),
            ("os.kill(os.getpid(), 11)", "Runtime.ExitError", "Runtime exited with error: signal: SIGSEGV"),
            ("bytearray(300 << 20); time.sleep(9)", "Runtime.OutOfMemory", "Runtime used"),
            ("return object()", "Runtime.MarshalError", "Unable to marshal response: Object of type object"),
        ],
        [("os._exit(3)", "Runtime.ExitError", "Runtime exited with error: exit status 3")],
    ),
)
def test_a_function_that_breaks_is_stopped_and_restarted(stage: Stage, body: str, kind: str, message: str) -> None:
    code = (
        "import os, threading, time\ndef handler(event, context):\n"
        f"    if event: return os.getpid()\n    kept = 0\n    {body}\n"
    )
    # A second is short on a busy machine: only functions that must time out get no more.
    seconds = 1 if kind == "Sandbox.Timedout" else 60
    stage.function("breaking", code.replace("bytearray", "kept = bytearray"), Timeout=seconds, MemorySize=256)
    error = stage.invoke("breaking")["Payload"]
    assert error["errorType"] == kind
    assert error["errorMessage"].startswith(message)
    assert stage.invoke("breaking", {"again": True})["Payload"] > 0


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    sampled(
        [
            ("def other(): pass\n", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'main'"),
            ("def handler(:\n", "Runtime.UserCodeSyntaxError", "Syntax error in module 'main'"),
            ("raise SystemExit('no setting')\n", "SystemExit", "no setting"),
        ]
    ),
)
def test_a_handler_that_cannot_be_loaded_says_why(stage: Stage, code: str, kind: str, message: str) -> None:
    stage.function("unloadable", code)
    error = stage.invoke("unloadable")["Payload"]
    assert error["errorType"] == kind
    assert error["errorMessage"].startswith(message)


def test_what_a_function_writes_is_in_its_log_group(stage: Stage) -> None:
    stage.client("logs").create_log_group(logGroupName="/aws/lambda/talking")
    stage.function(
        "talking",
        """
        import logging, sys
        def handler(event, context):
            print("to stdout")
            print("to stderr", file=sys.stderr)
            logging.warning("to the root logger")
            return 1
        """,
    )
    stage.invoke("talking")
    lines = stage.logged("/aws/lambda/talking")
    assert lines[0].startswith("START RequestId: ")
    assert "to stdout" in lines
    assert "to stderr" in lines
    assert any(line.startswith("[WARNING]") and line.endswith("to the root logger") for line in lines)
    assert "Memory Size: 512 MB" in lines[-1]


@pytest.mark.slow
def test_logs_go_where_the_function_says(stage: Stage) -> None:
    stage.client("logs").create_log_group(logGroupName="elsewhere")
    stage.function("moved", "def handler(event, context): print('here')", LoggingConfig={"LogGroup": "elsewhere"})
    stage.invoke("moved")
    assert "here" in stage.logged("elsewhere")


def test_a_function_says_where_its_logs_and_dead_letters_go(stage: Stage) -> None:
    functions = stage.client("lambda")
    target = {"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead-letters"}
    stage.function("plain", ECHO)
    stage.function("told", ECHO, LoggingConfig={"LogGroup": "elsewhere"}, DeadLetterConfig=target)
    plain = functions.get_function_configuration(FunctionName="plain")
    assert plain["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/plain"}
    assert "DeadLetterConfig" not in plain
    told = functions.get_function(FunctionName="told")["Configuration"]
    assert told["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "elsewhere"}
    assert told["DeadLetterConfig"] == target

    functions.delete_function(FunctionName="told")
    stage.function("told", ECHO, Role=plain["Role"])
    assert "DeadLetterConfig" not in functions.get_function_configuration(FunctionName="told")


@pytest.mark.slow
def test_without_permission_logs_are_lost_but_the_invocation_is_not(stage: Stage) -> None:
    stage.client("logs").create_log_group(logGroupName="/aws/lambda/silent")
    stage.function("silent", ECHO, Role=stage.role("silent", "lambda.amazonaws.com"))
    assert stage.invoke("silent", 1)["Payload"] == 1
    assert stage.logged("/aws/lambda/silent") == []
    stage.drain()
    assert any("logs:CreateLogStream" in step.detail for step in stage.steps("denied"))


def test_a_function_calls_aws_as_its_role_and_no_further(stage: Stage) -> None:
    for bucket in ("mine", "other"):
        stage.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    role = stage.role("writer", "lambda.amazonaws.com", {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::mine/*"})
    stage.function(
        "writer",
        """
        import boto3
        def handler(event, context):
            boto3.client("s3").put_object(Bucket=event, Key="k", Body=b"x")
        """,
        lock=Path("requirements-publish.lock").read_text(encoding="utf-8"),
        Role=role,
    )
    assert stage.invoke("writer", "mine")["Payload"] is None
    error = stage.invoke("writer", "other")["Payload"]
    assert error["errorType"] == "AccessDenied"
    assert "is not authorized to perform: s3:PutObject" in error["errorMessage"]


def test_a_role_that_does_not_trust_lambda_fails_the_invocation(stage: Stage) -> None:
    stage.function("untrusted", ECHO, Role=stage.role("untrusted", "glue.amazonaws.com"))
    error = stage.invoke("untrusted")["Payload"]
    assert "lambda.amazonaws.com is not authorized to perform: sts:AssumeRole" in error["errorMessage"]


def test_invocation_types(stage: Stage) -> None:
    stage.function("kinds", ECHO)
    client = stage.client("lambda")
    assert client.invoke(FunctionName="kinds", InvocationType="DryRun")["StatusCode"] == 204
    assert client.invoke(FunctionName="kinds", InvocationType="Event", Payload=b"1")["StatusCode"] == 202
    assert stage.steps("invoke") == []
    stage.drain()
    assert [step.name for step in stage.steps("invoke")] == ["kinds"]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody")


@pytest.mark.slow
def test_a_big_event_arrives_whole(stage: Stage) -> None:
    stage.function("big", ECHO)
    event = {"text": "ä" * 2_000_000 + "\n"}
    assert stage.invoke("big", event)["Payload"] == event


def test_closing_ends_every_process_and_removes_unpacked_code(tmp_path: Path) -> None:
    with Stage(tmp_path / "functions") as stage:
        stage.function("pid", "import os\ndef handler(event, context): return os.getpid()\n")
        process = stage.invoke("pid")["Payload"]
        os.kill(process, 0)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert list((tmp_path / "functions").iterdir()) == []


@pytest.mark.slow
def test_an_interrupt_in_the_middle_of_an_invocation_leaves_no_process(tmp_path: Path) -> None:
    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    note = tmp_path / "pid"
    code = f"""
        import os, pathlib, threading
        def handler(event, context):
            pathlib.Path({str(note)!r}).write_text(str(os.getpid()))
            threading.Event().wait(30)
        """
    try:
        with Stage(tmp_path / "functions") as stage:
            stage.function("busy", code)
            stage.client("lambda").invoke(FunctionName="busy", InvocationType="Event")
            signal.setitimer(signal.ITIMER_REAL, 1)
            with pytest.raises(KeyboardInterrupt):
                stage.drain()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text(encoding="utf-8")), 0)


def test_asynchronous_events_are_tried_three_times_then_sent_to_the_destination(stage: Stage) -> None:
    url, arn = stage.queue("failures")
    stage.function("doomed", "def handler(event, context): raise ValueError(event['n'])\n")
    stage.client("lambda").put_function_event_invoke_config(
        FunctionName="doomed", DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    stage.client("lambda").invoke(FunctionName="doomed", InvocationType="Event", Payload=b'{"n": 7}')
    stage.run_for(minutes=30)
    attempts = [round((step.at - START).total_seconds()) // 60 for step in stage.steps("invoke")]
    assert attempts == [0, 1, 3]
    (message,) = stage.messages(url)
    record = json.loads(message["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestContext"]["functionArn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:doomed:$LATEST"
    assert record["requestPayload"] == {"n": 7}
    assert record["responsePayload"]["errorType"] == "ValueError"
    assert [(step.name, step.ok) for step in stage.steps("dead_letter")] == [("failures", True)]


@pytest.mark.slow
def test_a_function_may_have_fewer_retries_and_a_dead_letter_queue(stage: Stage) -> None:
    url, arn = stage.queue("dead")
    stage.function("once", "def handler(event, context): raise ValueError('no')\n", DeadLetterConfig={"TargetArn": arn})
    stage.client("lambda").put_function_event_invoke_config(FunctionName="once", MaximumRetryAttempts=0)
    stage.client("lambda").invoke(FunctionName="once", InvocationType="Event", Payload=b"[1]")
    stage.run_for(minutes=30)
    assert len(stage.steps("invoke")) == 1
    (message,) = stage.messages(url)
    assert message["Body"] == "[1]"
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "ValueError: no"


@pytest.mark.slow
def test_a_destination_that_the_role_may_not_use_is_a_step(stage: Stage) -> None:
    url, arn = stage.queue("closed")
    role = stage.role("shut", "lambda.amazonaws.com", {"Action": "logs:*", "Resource": "*"})
    stage.function("shut", "def handler(event, context): raise ValueError('no')\n", Role=role)
    stage.client("lambda").put_function_event_invoke_config(
        FunctionName="shut", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    stage.client("lambda").invoke(FunctionName="shut", InvocationType="Event")
    stage.run_for(minutes=1)
    (step,) = stage.steps("dead_letter")
    assert not step.ok
    assert "is not authorized to perform: sqs:SendMessage" in step.detail
    assert stage.messages(url) == []


@pytest.mark.slow
def test_ctrl_c_does_not_reach_the_functions(stage: Stage) -> None:
    stage.function("group", "import os\ndef handler(event, context): return [os.getpid(), os.getsid(0)]\n")
    process, session = stage.invoke("group")["Payload"]
    assert session == process != os.getsid(0)


@pytest.mark.parametrize("member", sampled(["../evil.py", "a/../../evil.py", "/tmp/evil.py"]))  # noqa: S108 - not to be written
def test_an_archive_writes_nothing_outside_of_its_folder(stage: Stage, tmp_path: Path, member: str) -> None:
    stage.function("etl", "def handler(event, context): return 1\n")
    archive = zipped({"main.py": "def handler(event, context): return 2\n", member: "x"})
    stage.client("lambda").update_function_code(FunctionName="etl", ZipFile=archive)
    answer = stage.invoke("etl")
    assert "is outside its folder" in answer["Payload"]["errorMessage"]
    assert list(tmp_path.rglob("evil.py")) == []
