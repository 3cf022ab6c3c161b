"""Tables, views and named queries answer from the deployment on, and stay current if the crawl's event is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from handlers.publish.views import FOLDER
from handlers.tables import TABLES
from pipeline.analytics import NAMED_QUERIES
from spotify_simulator import LibraryPlan
from tests.e2e import model
from tests.e2e.test_mutations import without_rule_target, without_table
from tests.e2e.world import FIRST_CRAWL, FIRST_SCHEDULED_PUBLISH, World, world

pytestmark = pytest.mark.slow

PLAN = LibraryPlan(saved_tracks=30, playlists=3, saved_albums=4, plays_per_day=20)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module", name="deployed")
def fixture_deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provide a pipeline that nobody has logged in to; the tests below use it in their order."""
    with world(tmp_path_factory.mktemp("cloud"), PLAN) as made:
        yield made


@pytest.mark.parametrize("name", [*TABLES, *sorted(path.stem for path in FOLDER.glob("*.sql"))])
def test_every_table_and_view_answers_right_after_the_deployment(deployed: World, name: str) -> None:
    assert deployed.query(f'SELECT * FROM "{name}"').rows == ()


@pytest.mark.parametrize("name", sorted(path.stem for path in NAMED_QUERIES.glob("*.sql")))
def test_every_named_query_answers_right_after_the_deployment(deployed: World, name: str) -> None:
    query = deployed.cloud.client("athena").get_named_query(NamedQueryId=deployed.outputs["named_queries"][name])
    assert deployed.query(query["NamedQuery"]["QueryString"]).rows == ()


def test_the_crawler_updates_what_the_deployment_created(deployed: World) -> None:
    deployed.cloud.run_until(FIRST_CRAWL - MINUTE)
    without_rule_target(deployed)
    for view in ("complete_reads", "listens"):
        without_table(view)(deployed)
    before = _tables(deployed)
    # The partition of the month is there since the deployment.
    [[count]] = deployed.query("SELECT count(*) FROM saved_tracks").rows
    assert int(count or 0) > 0
    deployed.cloud.run_until(FIRST_SCHEDULED_PUBLISH - MINUTE)

    assert deployed.errors() == []
    assert _tables(deployed) == before
    [[count]] = deployed.query("SELECT count(*) FROM saved_tracks").rows
    assert int(count or 0) > 0


def test_without_the_crawls_event_the_schedule_publishes(deployed: World) -> None:
    deployed.live(0)
    assert deployed.errors() == []
    for view in ("listens", "current_saved_tracks", "current_playlists"):
        [[count]] = deployed.query(f'SELECT count(*) FROM "{view}"').rows
        assert int(count or 0) == len(list(model.VIEWS[view](deployed))) > 0


def test_a_run_that_finds_nothing_to_do_says_so(deployed: World) -> None:
    answer = deployed.cloud.client("lambda").invoke(
        FunctionName=deployed.outputs["publish_function_name"], Payload='{"trigger": "schedule"}'
    )
    views = len(list(FOLDER.glob("*.sql")))
    summary = {
        "tables_created": [],
        "columns_added": {},
        "partition_keys_renamed": {},
        "partitions_registered": {},
        "views_created": [],
        "views_unchanged": views,
    }
    assert json.load(answer["Payload"]) == summary
    events = deployed.cloud.client("logs").filter_log_events(
        logGroupName=deployed.outputs["log_group_names"]["publish"], filterPattern="summary"
    )["events"]
    said = [json.loads(event["message"])["message"] for event in events if '"summary"' in event["message"]]
    # The deployment, the schedule, and the run above.
    assert said == ["Published.", "Published.", "Nothing to publish: everything is up to date."]


def _tables(deployed: World) -> dict[str, list[tuple[str, str]]]:
    """Return each table's columns; a crawler that does not accept a table makes another one beside it."""
    pages = deployed.cloud.client("glue").get_paginator("get_tables")
    found = pages.paginate(DatabaseName=deployed.outputs["glue_database_name"])
    tables = [table for page in found for table in page["TableList"] if table["TableType"] != "VIRTUAL_VIEW"]
    assert not any("DEPRECATED_BY_CRAWLER" in table["Parameters"] for table in tables)
    return {
        table["Name"]: [(column["Name"], column["Type"]) for column in table["StorageDescriptor"]["Columns"]]
        for table in tables
    }
