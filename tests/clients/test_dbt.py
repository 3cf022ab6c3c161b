"""dbt-athena: a project of every kind of model, built on two days."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.athena_queries import run_query
from tests.clients.conftest import Clients
from tests.e2e.world import World
from tests.pipeline.program import ROOT

pytestmark = pytest.mark.clients

DBT = ROOT / "build" / "dbt"
PROJECT = Path(__file__).parent / "dbt"
BUCKET = "a-bucket-of-mine"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where dbt writes what it keeps between runs."""
    return tmp_path_factory.mktemp("dbt")


@pytest.fixture(scope="module")
def project(made: World, folder: Path) -> Clients:
    """Run dbt as its users do."""
    if not (DBT / "ready").exists():
        pytest.fail("dbt-athena is not installed: run `make clients` and run the tests again.", pytrace=False)
    clients = Clients(made, folder)
    clients.environment |= {
        "PATH": f"{DBT / 'bin'}:{clients.environment['PATH']}",
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DATABASE": made.outputs["glue_database_name"],
        "BUCKET": BUCKET,
    }
    region = made.cloud.server.region
    made.cloud.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": region})
    return clients


def dbt(project: Clients, *arguments: str) -> dict[str, str]:
    """Run a command of dbt that succeeds; return by the name of each node how it ended."""
    done = project.run("dbt", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return statuses(project)


def statuses(project: Clients) -> dict[str, str]:
    results = json.loads((project.folder / "target/run_results.json").read_text())["results"]
    return {result["unique_id"].split(".")[2]: result["status"] for result in results}


def rows(made: World, sql: str) -> list[tuple[str | None, ...]]:
    workgroup = made.outputs["athena_workgroup_name"]
    return list(run_query(made.cloud.client("athena"), sql, database="dbt", workgroup=workgroup).rows)


def test_a_project_follows_the_pipeline_from_day_to_day(project: Clients, made: World) -> None:
    tests = {
        "not_null_heard_item_type": "pass",
        "relationships_heard_item_type__item_type__ref_moods_": "pass",
        "unique_heard_item_type": "pass",
    }
    models = dict.fromkeys(("appended", "by_day", "heard", "heard_changes", "moods", "moods_heard"), "success")
    assert dbt(project, "build") == {**models, **tests}
    first = int(made.query("SELECT count(*) FROM plays").rows[0][0] or 0)
    assert first > 0
    assert rows(made, "SELECT count(*) FROM appended") == [(str(first),)]
    days = rows(made, "SELECT day, plays FROM by_day ORDER BY day")
    assert rows(made, "SELECT item_type, plays, mood, weight FROM moods_heard") == [
        ("track", str(first), 'calm, "slow"', "1")
    ]

    made.live(1)
    # With a column more for the rows that come.
    assert dbt(project, "build", "--vars", "{wider: true}") == {**models, **tests}
    second = int(made.query("SELECT count(*) FROM plays").rows[0][0] or 0)
    assert second > first
    assert rows(made, "SELECT count(*), count(kind) FROM appended") == [(str(second), str(second - first))]
    # The day that had begun is written again, not added.
    assert rows(made, "SELECT day, plays FROM by_day ORDER BY day") == [
        *days[:-1],
        *made.query(
            "SELECT cast(date(played_at) AS varchar), count(*) FROM plays"
            f" WHERE date(played_at) >= DATE '{days[-1][0]}' GROUP BY 1 ORDER BY 1"
        ).rows,
    ]
    assert rows(made, "SELECT plays, dbt_valid_to IS NULL FROM heard_changes ORDER BY dbt_valid_from") == [
        (str(first), "false"),
        (str(second), "true"),
    ]


def test_the_documentation_describes_what_is_there(project: Clients) -> None:
    dbt(project, "run", "--select", "heard")
    done = project.run("dbt", "docs", "generate")
    assert done.returncode == 0, done.stdout
    catalog: dict[str, Any] = json.loads((project.folder / "target/catalog.json").read_text())
    assert catalog["errors"] is None
    heard = catalog["nodes"]["model.listening.heard"]
    assert {name: column["type"] for name, column in heard["columns"].items()} == {
        "item_type": "string",
        "plays": "bigint",
        "latest": "timestamp",
        "seconds": "bigint",
    }
    assert heard["columns"]["item_type"]["comment"] == "track or episode"
    assert heard["metadata"]["comment"].startswith("How often, and for how long, each kind of item was heard; it's")
    assert "source.listening.music.plays" in catalog["sources"]


def test_a_merge_is_refused_in_one_sentence(project: Clients, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "merged.sql").write_text(
        "{{ config(materialized='incremental', incremental_strategy='merge', table_type='iceberg', unique_key='a') }}"
        " select 1 as a"
    )
    (tmp_path / "dbt_project.yml").write_text("{name: merging, profile: listening}")
    done = project.run("dbt", "run", "--project-dir", str(tmp_path))
    assert done.returncode == 1
    assert statuses(project) == {"merged": "error"}
    assert (
        "NOT_SUPPORTED: An Iceberg table; use table_type = 'HIVE' (the embedded Athena does not model it)"
        in done.stdout
    )
