"""A lake with folders of the earlier partition keys becomes one with those of the present: views never notice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cli.compact import CompactRequest, compact
from cli.replay import ReplayRequest, replay
from handlers.layout import OUTPUTS_PREFIX, TABLES_PREFIX
from handlers.tables import TABLES
from spotify_simulator import LibraryPlan
from tests.cli.screen import Screen
from tests.e2e import model
from tests.e2e.test_operating import passing_time, target
from tests.e2e.world import FIRST_COMPACTION, TIMEZONE, World, world
from tests.handlers.compact.earlier_form import NEW_COLUMNS, earlier_form, is_earlier, key_of_then

pytestmark = pytest.mark.slow

PLAN = LibraryPlan(saved_tracks=30, playlists=3, saved_albums=4, plays_per_day=20, timezone=TIMEZONE)
DAY = timedelta(days=1)


@pytest.fixture(scope="module", name="lived")
def fixture_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provide a pipeline whose first two days version 2 has written; the tests below use it in their order."""
    with world(tmp_path_factory.mktemp("cloud"), PLAN, every_stream=True) as made:
        made.live(1)
        _outdate_objects(made)
        for table in TABLES:
            _outdate_catalog(made, table)
        yield made


def _outdate_objects(one: World) -> None:
    s3, bucket = one.cloud.client("s3"), one.outputs["transformed_bucket_name"]
    moved: dict[str, str] = {}
    for key, body, _ in list(one.objects("transformed_bucket_name", TABLES_PREFIX)):
        moved[key], before = earlier_form(key, body)
        s3.put_object(Bucket=bucket, Key=moved[key], Body=before)
        if moved[key] != key:
            s3.delete_object(Bucket=bucket, Key=key)
    for key, body, _ in list(one.objects("transformed_bucket_name", OUTPUTS_PREFIX)):
        record = json.loads(body)
        record["outputs"] = {moved[output]: count for output, count in record["outputs"].items()}
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(record).encode())


def _outdate_catalog(one: World, table: str) -> None:
    glue, bucket = one.cloud.client("glue"), one.outputs["transformed_bucket_name"]
    where = {"DatabaseName": one.outputs["glue_database_name"], "TableName": table}
    found = glue.get_table(DatabaseName=where["DatabaseName"], Name=table)["Table"]
    partition_key = key_of_then(table)
    columns = [one for one in found["StorageDescriptor"]["Columns"] if one["Name"] not in NEW_COLUMNS[table]]
    changed: dict[str, Any] = {
        "StorageDescriptor": {**found["StorageDescriptor"], "Columns": columns},
        "PartitionKeys": [{"Name": partition_key, "Type": "string"}],
    }
    kept = {name: found[name] for name in ("Name", "TableType", "Parameters")}
    for values in partitions(one, table):
        glue.delete_partition(**where, PartitionValues=values)
    glue.update_table(DatabaseName=where["DatabaseName"], TableInput={**kept, **changed})
    keys = [key for key, _, _ in one.objects("transformed_bucket_name", f"{TABLES_PREFIX}{table}/")]
    for folder in sorted({key.rpartition("/")[0] for key in keys}):
        descriptor = {**changed["StorageDescriptor"], "Location": f"s3://{bucket}/{folder}/"}
        value = folder.partition("=")[2]
        glue.create_partition(**where, PartitionInput={"Values": [value], "StorageDescriptor": descriptor})


def partitions(one: World, table: str) -> list[list[str]]:
    """The values of the partitions in the catalog."""
    pages = one.cloud.client("glue").get_paginator("get_partitions").paginate(
        DatabaseName=one.outputs["glue_database_name"], TableName=table
    )  # fmt: skip
    return [partition["Values"] for page in pages for partition in page["Partitions"]]


def earlier_keys(one: World) -> list[str]:
    """The objects in folders of the earlier partition keys."""
    return [key for key, _, _ in one.objects("transformed_bucket_name", TABLES_PREFIX) if is_earlier(key)]


def check_views(one: World) -> None:
    """Check that each view has the rows of the library's own model, each once."""
    for view, expected_rows in model.VIEWS.items():
        expected = list(expected_rows(one))
        columns = ["account_id", *expected[0]]
        found = one.query(f'SELECT {", ".join(columns)} FROM "{view}"').rows
        account = one.library.account_id
        wanted = [tuple(map(model.text, (account, *row.values()))) for row in expected]
        assert sorted(found, key=repr) == sorted(wanted, key=repr), view


def publish(one: World) -> dict[str, Any]:
    """Publish as a deployment does, and return what was done."""
    answer = one.cloud.client("lambda").invoke(
        FunctionName=one.outputs["publish_function_name"], Payload='{"trigger": "deployment"}'
    )
    assert "FunctionError" not in answer
    done: dict[str, Any] = json.loads(answer["Payload"].read())
    return done


def test_views_answer_as_before_right_after_the_deployment(lived: World) -> None:
    assert len({key.split("/")[1] for key in earlier_keys(lived)}) > 10
    renamed = publish(lived)["partition_keys_renamed"]
    assert renamed == {name: table.partition_key for name, table in TABLES.items() if table.earlier_partition_keys}
    check_views(lived)


def test_rows_that_a_replay_writes_before_the_next_crawl_are_there(lived: World) -> None:
    request = ReplayRequest(streams="saved_albums", since="2026-11-02", until="2026-11-02")
    with passing_time(lived):
        replay(target(lived), request, console=Screen().console)
    assert not any("saved_albums-20261102" in key for key in earlier_keys(lived))
    check_views(lived)


def test_rows_that_are_moved_before_the_next_crawl_are_there(lived: World) -> None:
    for _ in range(2):
        compact(target(lived), CompactRequest(), console=Screen().console)
        check_views(lived)
        lived.cloud.run_until(lived.cloud.now + timedelta(minutes=61))
    assert {key.split("/")[2] for key in earlier_keys(lived) if "/runs/" not in key} == {"dt=2026-11-03"}


def test_runs_and_crawls_go_on_beside_the_earlier_folders(lived: World) -> None:
    lived.live(2)
    assert lived.errors() == []
    assert earlier_keys(lived)
    assert {"2026-11-03", "2026-11"} <= {value for [value] in partitions(lived, "tracks")}
    check_views(lived)


def test_the_compaction_moves_what_is_in_them(lived: World) -> None:
    lived.cloud.run_until(FIRST_COMPACTION + 2 * DAY + timedelta(minutes=15))
    assert earlier_keys(lived)
    check_views(lived)
    # An hour later it has deleted them.
    lived.live(3)
    assert lived.errors() == []
    assert earlier_keys(lived) == []
    check_views(lived)
    [[unknown, first]] = lived.query("SELECT count_if(dt IS NULL), min(dt) FROM tracks").rows
    assert (unknown, first) == ("0", "2026-11-02")


def test_the_command_deletes_the_partitions_that_are_empty(lived: World) -> None:
    screen = Screen()
    compact(target(lived), CompactRequest(), console=screen.console)
    assert "deleted from the catalog" in screen.text
    for name, table in TABLES.items():
        lengths = {len(value) for [value] in partitions(lived, name)}
        assert lengths <= {len("2026" if table.partition_key == "year" else "2026-11")}, name
    check_views(lived)
