"""What applies to every test."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.pipeline.emulator.building import obstacle
from tests.thoroughness import VARIABLE

# No test depends on how fast the machine is at the moment.
settings.register_profile(
    "untimed",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Let properties be tried on a few examples where the slow tests are left out; workers inherit the variable."""
    if "not slow" in config.getoption("markexpr"):
        os.environ[VARIABLE] = "1"
    if hasattr(config, "workerinput"):
        # First registered, last called: results are sent by then, and to take thousands of modules apart takes seconds.
        atexit.register(os._exit, 0)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage meanwhile: the thousands of tests and modules stay until the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Exempt what the imports left from garbage collection, which takes a second with all of moto in memory.

    At exit it is freed after all: extension modules report what is left as leaks.
    """
    gc.freeze()
    atexit.register(gc.unfreeze)
    gc.set_threshold(20_000, 20, 100)


@pytest.fixture(scope="module", autouse=True)
def no_cloud_left_running() -> Iterator[None]:
    """Fail the last test of a file that leaves an embedded AWS running: the process could start no other one.

    Which file comes next depends on how many processes share the tests.
    """
    yield
    server = sys.modules.get("embedded_aws.server.server")
    assert server is None or not server.AwsServer.is_running(), (
        "Give the fixture of the cloud at most the scope of a module."
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this machine could not run of the tests that ran."""
    ran = any("test_runtime_client" in report.nodeid for report in terminalreporter.stats.get("passed", ()))
    if ran and (reason := obstacle()):
        terminalreporter.write_line(
            "Amazon's client of Lambda's runtime interface ran without Amazon's emulator of that interface, "
            f"a Go module: {reason}."
        )
