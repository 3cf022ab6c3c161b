"""One Trino server per test run, with embedded clouds as its catalogs."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from embedded_aws.server.server import AwsServer
from loopback.server import HOST
from tests.trino.results import Result, from_trino

CATALOG = "awsdatacatalog"
"""Athena's name of the Glue catalog, which its views in Glue mention."""

_START_TIMEOUT = 180.0
_RESPONSE_TIMEOUT = 60
_PROGRESS_SECONDS = 10.0
_LAST_LINES = 40
_HEAP = 1500
"""MB."""
_JVM = (
    # Queries over small data, each run once: the quickest to compile and start.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-Duser.timezone=UTC",
    # Required by Trino's documentation: https://trino.io/docs/current/installation/deployment.html#jvm-config
    "-Djdk.attach.allowAttachSelf=true",
    "-XX:+EnableDynamicAgentLoading",
    "--add-modules=jdk.incubator.vector",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


class ServerError(Exception):
    """Trino did not start."""


class TrinoQueryError(Exception):
    """A query that failed in Trino: `ERROR_NAME: message`, as in Athena."""


class TrinoServer:
    """A coordinator that is its own worker, on a free port of 127.0.0.1; use it as a context manager.

    Args:
        java: the JDK's `java`.
        distribution: folder of the unpacked server.
        folder: an empty folder for its settings, data and log.
        say: called with progress messages.
        heap: its memory in MB, of which a query may use 30 %.
    """

    def __init__(
        self, java: Path, distribution: Path, folder: Path, say: Callable[[str], None], *, heap: int = _HEAP
    ) -> None:
        self.log = folder / "trino.log"
        """The server's output."""
        self._java = java
        self._distribution = distribution
        self._folder = folder
        self._say = say
        self._heap = heap
        self._url = f"http://{HOST}:{_free_port()}"
        self._http = requests.Session()
        # Ignore proxies of the environment for the loopback interface.
        self._http.trust_env = False
        self._running = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Start it and wait until it responds.

        Raises:
            ServerError: it exited or did not respond in time.
        """
        with contextlib.ExitStack() as starting:
            starting.callback(self._http.close)
            output = starting.enter_context(self.log.open("wb"))
            process = starting.enter_context(lasting_process(self._command(), output=output))
            self._wait(process)
            self._running = starting.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self._running.close()

    @contextlib.contextmanager
    def reading(self, cloud: AwsServer) -> Iterator[None]:
        """Make `awsdatacatalog` the Glue catalog of a cloud, over its S3."""
        common = {"region": cloud.region, "aws-access-key": cloud.owner.access_key_id}
        common["aws-secret-key"] = cloud.owner.secret_access_key
        properties = {
            "hive.metastore": "glue",
            "hive.metastore.glue.endpoint-url": cloud.url,
            "hive.metastore.glue.default-warehouse-dir": "local:///unused",
            "hive.table-statistics-enabled": "false",
            "hive.security": "allow-all",
            "fs.native-s3.enabled": "true",
            "s3.endpoint": cloud.url,
            "s3.path-style-access": "true",
            **{f"hive.metastore.glue.{name}": value for name, value in common.items()},
            **{f"s3.{name}": value for name, value in common.items()},
        }
        settings = ", ".join(f"\"{name}\" = '{value}'" for name, value in properties.items())
        self.query(f"CREATE CATALOG {CATALOG} USING hive WITH ({settings})")
        try:
            yield
        finally:
            self.query(f"DROP CATALOG {CATALOG}")

    def query(self, sql: str, *, database: str | None = None, precise: bool = True) -> Result:
        """Run one statement in a session in UTC, as Athena's are.

        Source of the protocol: https://trino.io/docs/current/develop/client-protocol.html

        Args:
            sql: the statement.
            database: where unqualified names are looked up.
            precise: return timestamps in their own precision instead of milliseconds, Athena's.

        Raises:
            TrinoQueryError: the statement is invalid, or Trino failed.
        """
        headers = {"X-Trino-Time-Zone": "UTC", "X-Trino-Client-Capabilities": "PARAMETRIC_DATETIME" if precise else ""}
        if database is not None:
            headers |= {"X-Trino-Catalog": CATALOG, "X-Trino-Schema": database}
        page = self._request("POST", f"{self._url}/v1/statement", data=sql.encode(), headers=headers)
        columns: list[tuple[str, str]] = []
        rows: list[list[Any]] = []
        while True:
            if error := page.get("error"):
                raise TrinoQueryError(f"{error['errorName']}: {error['message']}")
            columns = [(column["name"], column["type"]) for column in page.get("columns", ())] or columns
            rows += page.get("data", ())
            if "nextUri" not in page:
                return from_trino(columns, rows, self._start_of(page["id"]))
            page = self._request("GET", page["nextUri"])

    def last_lines(self) -> str:
        """Return the end of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-_LAST_LINES:])

    def _start_of(self, query: str) -> datetime:
        """Return the current_timestamp of a query, in milliseconds and rounded like it."""
        session = self._request("GET", f"{self._url}/v1/query/{query}")["session"]
        moment = datetime.fromisoformat(session["start"]) + timedelta(microseconds=500)
        return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)

    def _request(self, method: str, url: str, *, data: bytes = b"", headers: Mapping[str, str] | None = None) -> Any:
        response = self._http.request(
            method, url, data=data, headers={"X-Trino-User": "tests", **(headers or {})}, timeout=_RESPONSE_TIMEOUT
        )
        response.raise_for_status()
        return response.json()

    def _command(self) -> list[str]:
        settings = {
            "coordinator": "true",
            "node-scheduler.include-coordinator": "true",
            "node.environment": "test",
            "node.bind-ip": HOST,
            "node.internal-address": HOST,
            "http-server.http.port": self._url.rpartition(":")[2],
            # It would be in the folder where the tests were started.
            "http-server.log.enabled": "false",
            "discovery.uri": self._url,
            "plugin.dir": str(self._distribution / "plugin"),
            "catalog.management": "dynamic",
            "catalog.store": "memory",
        }
        levels = self._folder / "log.properties"
        # Otherwise it writes a line per query.
        levels.write_text("io.trino.event.QueryMonitor=WARN\n", encoding="utf-8")
        settings["log.levels-file"] = str(levels)
        configuration = self._folder / "config.properties"
        configuration.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
        return [
            str(self._java),
            f"-Xmx{self._heap}m",
            *_JVM,
            f"-Dconfig={configuration}",
            f"-Dnode.data-dir={self._folder / 'data'}",
            "-cp",
            f"{self._distribution / 'lib'}/*",
            "io.trino.server.TrinoServer",
        ]

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        started = reported = time.monotonic()
        while not self._is_up():
            now = time.monotonic()
            if process.poll() is not None or now - started > _START_TIMEOUT:
                what = "did not respond in time" if process.poll() is None else "exited"
                raise ServerError(f"Trino {what}; the end of {self.log}:\n{self.last_lines()}")
            if now - reported > _PROGRESS_SECONDS:
                reported = now
                self._say(f"  Trino is starting: {now - started:.0f} s")
            time.sleep(0.2)

    def _is_up(self) -> bool:
        try:
            return not self._request("GET", f"{self._url}/v1/info")["starting"]
        except requests.RequestException:
            return False


@contextlib.contextmanager
def lasting_process(command: list[str], *, output: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the context or this process ends, however it ends.

    Args:
        command: the program.
        output: an open file for its output.
    """
    # A session of its own: Ctrl-C reaches only this process, which then stops the program cleanly.
    with subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True) as process:
        # The kernel closes the pipe when this process is gone, and only then the guard kills the program.
        guard = subprocess.Popen(
            ["/bin/sh", "-c", f"cat >/dev/null; kill -9 {process.pid}"], stdin=subprocess.PIPE, start_new_session=True
        )
        try:
            yield process
        finally:
            guard.kill()
            guard.communicate()
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
        return port
