"""Measures how long the embedded cloud takes to start and to invoke a function.

`make bench-cloud` does both and writes docs/benchmark-cloud.md.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import boto3

from tests.benchmarks.markdown import table
from tests.embedded_aws.stage import REGION, Stage
from tests.pipeline.program import ROOT

_PAGE = ROOT / "docs" / "benchmark-cloud.md"
_ROUNDS = 5
_CALLS = 300
_WARM_UP = 20
_USED = """
import resource
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(one.ru_utime + one.ru_stime for one in used))
"""
_CLOUD = """
import sys, tempfile
from pathlib import Path
from spotify_simulator import LibraryPlan
from tests.e2e.world import world
with tempfile.TemporaryDirectory() as folder, world(Path(folder), LibraryPlan(), every_stream=True):
    pass
"""
_PROGRAM = "from tests.pipeline.program import run; run()"
_INTRODUCTION = """\
# The embedded cloud

`make bench-cloud` runs this benchmark and writes this page. [Queries](benchmark-athena.md) have a page of their own.

"""
_START = f"""
## Start

A fresh process starts the cloud and the simulated Spotify, deploys the whole program with every stream, logs in, and
stops; beside it, Pulumi runs the same program under mocks, without a cloud. Medians of {_ROUNDS} rounds in which the
two take turns; CPU includes their processes.

"""
_INVOCATION = f"""
## Invocation

A client with a connection of its own invokes a warm function that does nothing, {_CALLS} times; beside it, it asks for
the function's configuration, which is a request to the cloud and nothing else.

"""


@dataclass(frozen=True)
class Taken:
    """What a process took, in seconds."""

    wall: float
    cpu: float


def main() -> None:
    """Measure, and write the page."""
    rounds = [(_process(_CLOUD), _process(_PROGRAM)) for _ in range(_ROUNDS)]
    cloud, program = (_median(column) for column in zip(*rounds, strict=True))
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}.\n"
    page = f"{_INTRODUCTION}{machine}{_START}{_start(cloud, program)}{_INVOCATION}{_invocation(*_calls())}"
    sys.stdout.write(page)
    _PAGE.write_text(page, encoding="utf-8")


def _process(code: str) -> Taken:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{_USED}"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Taken(time.perf_counter() - began, float(done.stdout.split()[-1]))


def _median(taken: tuple[Taken, ...]) -> Taken:
    return Taken(statistics.median(one.wall for one in taken), statistics.median(one.cpu for one in taken))


def _calls() -> tuple[float, float]:
    """Return the medians of an invocation and of a plain request, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder, Stage(Path(folder)) as stage:
        stage.function("nothing", textwrap.dedent("def handler(event, context): pass"))
        owner = stage.server.owner
        functions = boto3.client(
            "lambda",
            endpoint_url=stage.server.url,
            region_name=REGION,
            aws_access_key_id=owner.access_key_id,
            aws_secret_access_key=owner.secret_access_key,
        )

        def invoke() -> None:
            functions.invoke(FunctionName="nothing")["Payload"].read()

        return _milliseconds(invoke), _milliseconds(
            lambda: functions.get_function_configuration(FunctionName="nothing")
        )


def _milliseconds(call: Callable[[], object]) -> float:
    for _ in range(_WARM_UP):
        call()
    taken = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken) * 1000


def _start(cloud: Taken, program: Taken) -> str:
    head = ("", "wall", "CPU")
    rows = (
        ("cloud, program and log-in", f"{cloud.wall:.1f} s", f"{cloud.cpu:.1f} s"),
        ("program under mocks", f"{program.wall:.1f} s", f"{program.cpu:.1f} s"),
        ("ratio", f"{cloud.wall / program.wall:.2f}", f"{cloud.cpu / program.cpu:.2f}"),
    )
    return table(head, rows, names=1)


def _invocation(invocation: float, request: float) -> str:
    head = ("", "median")
    rows = (
        ("invocation", f"{invocation:.1f} ms"),
        ("request alone", f"{request:.1f} ms"),
        ("difference", f"{invocation - request:.1f} ms"),
    )
    return table(head, rows, names=1)


if __name__ == "__main__":
    main()
