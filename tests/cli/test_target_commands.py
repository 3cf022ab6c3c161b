"""The operator's commands as a user runs them, on a local cloud that moves while they wait."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.main import main
from local.running_cloud import RunningCloud
from spotify_simulator import LibraryPlan
from spotify_simulator.privacy_export import write_privacy_export
from tests.e2e.world import START, TIMEZONE, World, world

pytestmark = pytest.mark.slow

PLAN = LibraryPlan(
    saved_tracks=20, playlists=2, saved_albums=2, plays_per_day=40, export_days=25, timezone=TIMEZONE
)  # fmt: skip
STREAMS = ["profile", "recently_played"]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module", name="lived")
def fixture_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Deploys without a login, and announces the cloud as `local up` does."""
    with (
        world(tmp_path_factory.mktemp("cloud"), PLAN, logged_in=False, config={"streams": json.dumps(STREAMS)}) as made,
        pytest.MonkeyPatch.context() as patch,
    ):
        server = made.cloud.server
        running = RunningCloud(
            pid=os.getpid(),
            since="2026-11-23T07:00:00+00:00",
            data="",
            url=server.url,
            region=server.region,
            access_key_id=server.owner.access_key_id,
            secret_access_key=server.owner.secret_access_key,
            control="",
            control_key="",
            spotify="simulated",
            accounts_url=made.cloud.spotify.accounts_url,
            outputs=made.outputs,
        )
        patch.setattr(RunningCloud, "find", lambda *_: running)
        patch.setattr("cli.following._POLL_SECONDS", 0.05)
        yield made


@contextmanager
def moving(lived: World) -> Iterator[None]:
    """Let simulated time pass in the meantime, a minute at a time."""
    ended = threading.Event()

    def move() -> None:
        while not ended.wait(0.02):
            lived.cloud.run_until(lived.cloud.now + timedelta(minutes=1))

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def run(lived: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on the local cloud and returns exit status, output and errors."""

    def command(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["spotify-etl", *arguments, "--local"])
        status = 0
        with moving(lived):
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
        sys.stdout.flush()
        printed = capfd.readouterr()
        return status, printed.out, printed.err

    return command


# The tests run in this order, each on what those before have left.


def test_login_finds_secret_streams_and_accounts_service(
    run: Run, lived: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, unused_port: int
) -> None:
    monkeypatch.setattr(
        webbrowser,
        "open",
        lambda address: urllib.request.urlopen(address, timeout=60).close(),  # noqa: S310 - loopback
    )
    spotify = lived.cloud.spotify
    monkeypatch.chdir(tmp_path)
    status, out, err = run(
        *("login", "--client-id", spotify.client_id, "--client-secret", spotify.client_secret),
        *("--redirect-uri", f"http://127.0.0.1:{unused_port}/callback"),
    )
    assert (status, err) == (0, "")
    assert out.startswith("Using the local cloud.\n")
    assert "login --local" in (tmp_path / "spotify-login-local.ics").read_text(encoding="utf-8")
    secret = lived.cloud.client("secretsmanager").get_secret_value(SecretId=lived.outputs["spotify_secret_name"])
    assert json.loads(secret["SecretString"])["scope"] == "user-read-recently-played"


def test_import_is_followed_to_its_rows(run: Run, lived: World, tmp_path: Path) -> None:
    lived.cloud.client("lambda").invoke(FunctionName=lived.outputs["extract_function_name"])
    export = write_privacy_export(lived.library, tmp_path, START, zipped=True)
    status, out, err = run("import-history", str(export))
    assert (status, err) == (0, "")
    lines = out.splitlines()
    steps = [line.partition("  ")[0].strip() for line in lines if line.lstrip()[:2] in {"1.", "2.", "3."}]
    assert steps == ["1. Transform", "2. Crawl", "3. Publish the views"]
    [years] = lived.query("SELECT count(*), count_if(is_listen) FROM listens").rows
    assert f"│ 2026 │ {years[0]:>5} │ {years[1]:>7} │" in out
    assert int(years[0] or 0) > 500


def test_import_without_following_says_when_the_rows_come(run: Run, lived: World, tmp_path: Path) -> None:
    export = write_privacy_export(lived.library, tmp_path, START, zipped=True)
    status, out, _ = run("import-history", str(export), "--again", "--no-follow")
    assert status == 0
    assert out.endswith(
        "The plays will be in `plays` within minutes; Athena sees those of new months after the next crawl.\n"
    )


def test_crawl_is_followed_to_the_views(run: Run, lived: World) -> None:
    lived.cloud.client("glue").delete_table(DatabaseName=lived.outputs["glue_database_name"], Name="freshness")
    status, out, _ = run("crawl")
    assert status == 0
    assert "1 view created or replaced, 28 unchanged" in out
    assert out.endswith("Athena now has everything that was transformed when the crawl began.\n")


def test_named_query_is_answered_in_every_format(run: Run, lived: World, tmp_path: Path) -> None:
    sql = lived.cloud.client("athena").get_named_query(NamedQueryId=lived.outputs["named_queries"]["top_artists"])
    rows = lived.query(sql["NamedQuery"]["QueryString"]).rows
    status, out, err = run("query", "top_artists", "--format", "json")
    assert status == 0
    assert [str(json.loads(line)["listens"]) for line in out.rstrip("\n").split("\n")] == [row[3] for row in rows]
    assert err.endswith("The local cloud costs nothing.\n")
    for name in ("rows.csv", "rows.parquet", "chart.png"):
        chart = ["--chart"] if name.startswith("chart") else []
        assert run("query", "top_artists", "--out", str(tmp_path / name), *chart)[0] == 0
        assert (tmp_path / name).stat().st_size > 100


def test_all_queries_are_listed(run: Run) -> None:
    status, out, _ = run("query")
    assert status == 0
    assert "  overview " in out
    assert "\nOthers\n" not in out


def test_error_in_sql_is_athenas(run: Run) -> None:
    status, _, err = run("query", "--sql", "SELECT nothing FROM listens")
    assert status == 1
    assert err.startswith("The query failed in Athena: COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved")


def test_query_over_the_scan_limit_names_the_setting(run: Run, lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    groups = lived.cloud.server.backend("athena").work_groups
    configuration = groups[lived.outputs["athena_workgroup_name"]].configuration
    monkeypatch.setitem(configuration, "BytesScannedCutoffPerQuery", 1_000)
    status, _, err = run("query", "overview")
    assert status == 1
    assert err.startswith("The query was stopped because it would scan more than 0 MB: ")
    assert "athenaScanLimitMb" in err


def test_stack_is_queried_with_the_outputs_that_pulumi_prints(
    lived: World, pulumi: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pulumi(["dev"], {"dev": lived.outputs})
    server = lived.cloud.server
    for name, value in {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": server.owner.access_key_id,
        "AWS_SECRET_ACCESS_KEY": server.owner.secret_access_key,
    }.items():
        monkeypatch.setenv(name, value)
    # It keeps the keys of an earlier test.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(sys, "argv", ["spotify-etl", "query", "overview", "--stack", "dev"])
    main()
    out = capfd.readouterr().out
    assert out.startswith("Using the stack dev in eu-central-1.\n")
    assert "USD.\n" in out


def test_report_is_made_from_the_local_cloud(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("report", "--out", str(tmp_path / "report.html"))
    assert status == 0
    assert out.startswith("Using the local cloud.\n")
    assert (tmp_path / "report.html").stat().st_size > 100_000
