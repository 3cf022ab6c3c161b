"""A local cloud as a person uses it: started, used, killed, brought back, ended and deleted."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.running_cloud import RunningCloud
from tests.cli.local_cloud.process import LocalCommands, local_commands

pytestmark = pytest.mark.slow


@pytest.fixture
def local(working: Path) -> Iterator[LocalCommands]:
    with local_commands(working) as commands:
        yield commands


def count_of(local: LocalCommands, sql: str) -> int:
    outputs = local.running.outputs
    athena = local.client("athena")
    started = athena.start_query_execution(
        QueryString=sql,
        WorkGroup=outputs["athena_workgroup_name"],
        QueryExecutionContext={"Database": outputs["glue_database_name"]},
    )
    identifier = started["QueryExecutionId"]
    while True:
        state = athena.get_query_execution(QueryExecutionId=identifier)["QueryExecution"]["Status"]
        if state["State"] not in ("QUEUED", "RUNNING"):
            assert state["State"] == "SUCCEEDED", state
            break
        time.sleep(0.1)
    rows = athena.get_query_results(QueryExecutionId=identifier)["ResultSet"]["Rows"]
    return int(rows[1]["Data"][0]["VarCharValue"])


def secret_of(local: LocalCommands) -> dict[str, str]:
    name = local.running.outputs["spotify_secret_name"]
    content: dict[str, str] = json.loads(local.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])
    return content


def test_a_life_in_the_background(local: LocalCommands) -> None:
    port = local.port
    introduced = local.done("up", "--detach", "--port", str(port))
    assert f"  endpoint   http://127.0.0.1:{port}, region eu-central-1\n" in introduced
    assert f"  Spotify    simulated, at http://127.0.0.1:{port + 1}/\n" in introduced
    assert "in Europe/Berlin\n" in introduced
    assert f"  functions  run in Python 3.{sys.version_info.minor}, like this command\n" in introduced
    status = json.loads(local.done("status", "--json"))
    assert (status["running"], status["endpoint"]) == (True, f"http://127.0.0.1:{port}")
    assert local.refused("up").startswith("A local cloud is already running")
    assert local.refused("reset", "--yes").startswith("A local cloud is running")

    passed = local.done("advance", "1d")
    assert passed.count("  schedule    spotify-etl-hourly-") == 24
    *_, summary = passed.splitlines()
    assert "in the local cloud: 29 schedule firings, " in summary
    assert "1 crawl" in summary
    assert "failed" not in passed
    listens, secret = count_of(local, "SELECT count(*) FROM listens"), secret_of(local)
    assert listens > 20
    assert "  crawler     " in local.done("logs")

    os.kill(local.running.pid, signal.SIGKILL)
    time.sleep(0.5)
    assert local.refused("status") == "No local cloud is running: start one with `spotify-etl local up`."
    back = local.done("up", "--detach")
    assert f"  endpoint   http://127.0.0.1:{port}" in back
    assert "The program or its settings have changed" not in back
    assert count_of(local, "SELECT count(*) FROM listens") == listens
    assert secret_of(local) == secret
    # The simulated Spotify knows the login of its former life, and the listener has listened on.
    assert "failed" not in local.done("advance", "1d")
    assert count_of(local, "SELECT count(*) FROM listens") > listens
    assert count_of(local, "SELECT count(*) FROM runs WHERE run_status <> 'complete'") == 0

    assert local.done("down").startswith("The local cloud has ended; its data are in ")
    assert local.refused("down").startswith("No local cloud is running")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)
    with socket.create_server(("127.0.0.1", port)):
        for more in ((), ("--detach",)):
            assert local.refused("up", *more) == (
                f"Port {port} of 127.0.0.1 cannot be used (Address already in use): stop the program that uses it."
            )
    # An update of the project.
    record = local.working / "cloud" / "cloud.json"
    record.write_text(record.read_text().replace('"program": "', '"program": "0'))
    process = local.start()
    assert process.stdout is not None
    # An empty line ends what it says of itself.
    introduced = "".join(iter(process.stdout.readline, "\n"))
    assert "The program or its settings have changed since this cloud was deployed" in introduced
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert printed.splitlines()[-1].startswith("The local cloud has ended; its data are in ")

    assert "Nothing was deleted" in local.run("reset", given="n\n").stderr
    assert local.done("reset", "--yes").startswith("Deleted the local cloud's data")
    assert not (local.working / "cloud").exists()


def test_time_passes_first_and_ctrl_c_ends_it(local: LocalCommands) -> None:
    process = local.start("--port", str(local.port), "--spotify", "live", "--advance", "2h")
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line)
        if "in the local cloud: " in line:
            break
    text = "".join(printed)
    assert "  Spotify    your own, at https://accounts.spotify.com/\n" in text
    assert "spotify-etl login --local" in text
    # Two hourly runs; at some times of the day also the daily run, the crawl, publish and the compaction after it.
    assert re.search(r" [2-6] schedule firings", printed[-1])
    functions = local.client("lambda").list_functions()["Functions"]
    variables = [one.get("Environment", {}).get("Variables", {}) for one in functions]
    assert "127.0.0.1" not in json.dumps([v for v in variables if any("SPOTIFY" in name for name in v)])
    process.send_signal(signal.SIGINT)
    printed_last, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert printed_last.splitlines()[-1].startswith("The local cloud has ended; its data are in ")
    assert local.refused("up", "--spotify", "simulated").startswith("The cloud in ")


def test_a_start_that_was_killed_leaves_no_half_cloud(local: LocalCommands) -> None:
    process = local.begin("--port", str(local.port))
    account = local.working / "cloud" / "account" / "account.sqlite"
    while not account.exists():
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(1)  # In the middle of the deployment.
    process.kill()
    process.communicate()
    assert RunningCloud.find(local.working) is None
    assert "named queries" in local.done("up", "--detach", "--port", str(local.port))
    local.done("down")
