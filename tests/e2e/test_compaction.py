"""Several days with compaction by its own schedule: fewer objects, and the same answers."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from cli.compact import CompactRequest, compact
from cli.errors import CommandError
from cli.purge import purge
from cli.replay import ReplayRequest, replay
from cli.status.gathering import gather_status
from handlers.layout import COMPACTIONS_PREFIX, TABLES_PREFIX, is_compacted, run_date, run_in
from handlers.tables import TABLES
from spotify_simulator import LibraryPlan
from tests.cli.screen import Screen
from tests.e2e import model
from tests.e2e.test_operating import passing_time, target
from tests.e2e.world import FIRST_COMPACTION, TIMEZONE, World, world

pytestmark = pytest.mark.slow

PLAN = LibraryPlan(saved_tracks=40, playlists=4, saved_albums=5, plays_per_day=40, timezone=TIMEZONE)
DAYS = 4
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module", name="lived")
def fixture_lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Provide a pipeline that has lived for days; the tests below use it in their order."""
    with world(tmp_path_factory.mktemp("cloud"), PLAN, every_stream=True) as made:
        made.live(DAYS)
        yield made


def objects(one: World) -> dict[tuple[str, str], list[str]]:
    """Return the names of the objects of each table and partition."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for key, _, _ in one.objects("transformed_bucket_name", TABLES_PREFIX):
        _, table, partition, name = key.split("/")
        found[table, partition.partition("=")[2]].append(name)
    return found


def compacted(one: World, **request: str) -> str:
    """Run the command, and return what it prints."""
    screen = Screen()
    compact(target(one), CompactRequest(**request), console=screen.console)
    return screen.text


def rows(one: World) -> dict[str, str | None]:
    """Return how many rows each table has, if one that is there twice counts once."""
    return {table: one.query(f'SELECT count(*) FROM (SELECT DISTINCT * FROM "{table}")').rows[0][0] for table in TABLES}


def test_the_schedule_has_compacted_closed_days(lived: World) -> None:
    assert lived.errors() == []
    found = objects(lived)
    today = lived.cloud.now.date()
    # The compaction of today is still to come, and that of yesterday has deleted what it replaced.
    for place, names in found.items():
        runs = filter(None, map(run_in, names))
        # One object alone stays as it is.
        assert len(names) == 1 or not [run for run in runs if run_date(run) < today - DAY], (place, names)
    made = [place for place, names in found.items() if any(map(is_compacted, names))]
    assert {("plays", "2026-11"), ("tracks", "2026-11"), ("saved_tracks", "2026-11"), ("runs", "2026")} <= set(made)
    assert len(list(lived.objects("transformed_bucket_name", COMPACTIONS_PREFIX))) == len(made)


@pytest.mark.parametrize("view", model.VIEWS)
def test_view_answers_as_the_model_does(lived: World, view: str) -> None:
    expected = list(model.VIEWS[view](lived))
    columns = ["account_id", *expected[0]]
    found = lived.query(f'SELECT {", ".join(columns)} FROM "{view}"').rows
    account = lived.library.account_id
    assert sorted(found, key=repr) == sorted(
        (tuple(map(model.text, (account, *row.values()))) for row in expected), key=repr
    )


def test_status_shows_the_last_compaction(lived: World) -> None:
    last = gather_status(target(lived)).compaction
    assert last.at is not None
    assert last.at[:16] == f"{FIRST_COMPACTION + (DAYS - 1) * DAY:%Y-%m-%dT%H:%M}"
    assert (last.complete, last.left_alone) == (True, 0)
    assert last.partitions >= 10


def test_a_query_is_answered_while_originals_are_deleted(lived: World) -> None:
    lived.cloud.run_until(FIRST_COMPACTION + DAYS * DAY + 62 * MINUTE)
    before = rows(lived)
    waiting = sum(len(names) for names in objects(lived).values())
    count = lived.query("SELECT count(*) FROM listens").rows
    answers, failures, ended = [], list[str](), threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                answers.append(lived.query("SELECT count(*) FROM listens").rows)
            except CommandError as error:
                failures.append(str(error))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        printed = compacted(lived)
    finally:
        ended.set()
        thread.join()
    assert "deleted whose rows are in newer ones" in printed
    assert sum(len(names) for names in objects(lived).values()) < waiting
    assert answers
    assert set(answers) == {count}
    # Athena opens what it has listed, so a query may fail, and works when it is run again.
    assert all("deleted while the query read it" in failure for failure in failures)
    assert rows(lived) == before


def test_closed_days_are_in_one_object_a_partition_then(lived: World) -> None:
    today = f"{lived.cloud.now:%Y%m%d}"
    for (table, partition), names in objects(lived).items():
        closed = [name for name in names if today not in name]
        assert len(closed) == 1, (table, partition, names)


def test_a_second_compaction_changes_nothing(lived: World) -> None:
    def state() -> dict[str, bytes]:
        return {key: body for key, body, _ in lived.objects("transformed_bucket_name")}

    before = state()
    assert "no partition to compact" in compacted(lived)
    assert state() == before


def test_replayed_objects_replace_their_rows(lived: World) -> None:
    def of_day() -> list[str]:
        return [name for name in objects(lived)["tracks", "2026-11"] if "20261102" in name]

    before = rows(lived)
    assert of_day() == []
    with passing_time(lived):
        replay(
            target(lived), ReplayRequest(streams="recently_played", since="2026-11-02", until="2026-11-02"),
            console=Screen().console,
        )  # fmt: skip
    assert of_day()
    assert {name[:24] for name in objects(lived)["replays", "2026"]} == {"recently_played-20261102"}
    after = rows(lived)
    assert before.pop("replays") == "0" != after.pop("replays")
    assert after == before
    compacted(lived)
    lived.cloud.run_until(lived.cloud.now + 61 * MINUTE)
    compacted(lived)
    assert of_day() == []
    assert rows(lived)["tracks"] == before["tracks"]


def test_one_table_and_month_are_compacted_alone(lived: World) -> None:
    lived.live(DAYS + 1)
    before = objects(lived)
    assert "1 partition compacted" in compacted(lived, table="plays", month="2026-11")
    after = objects(lived)
    assert {place for place in after if after[place] != before[place]} == {("plays", "2026-11")}


def test_a_local_copy_has_the_same_rows(lived: World, tmp_path: Path) -> None:
    from cli.lake import save_lake  # noqa: PLC0415

    saved = save_lake(lived.cloud.client, lived.outputs, tmp_path)
    with duckdb.connect(str(saved.database), read_only=True) as database:
        for view in ("listens", "current_saved_tracks", "current_playlist_items"):
            [(count,)] = database.execute(f'SELECT count(*) FROM "{view}"').fetchall()
            assert lived.query(f'SELECT count(*) FROM "{view}"').rows == ((str(count),),)


def test_purge_leaves_no_row_of_earlier_runs_in_any_version(lived: World, tmp_path: Path) -> None:
    limit = "20261104T230000Z"
    later = {
        table: lived.query(f"SELECT count(*) FROM (SELECT DISTINCT * FROM \"{table}\" WHERE _run_id > '{limit}')").rows
        for table in TABLES
    }
    screen = Screen()
    purge(target(lived), before="2026-11-05", yes=True, console=screen.console)
    assert re.search(r"\d+ compacted objects with rows of these runs will be replaced", screen.text)
    assert re.search(r"Deleted [\d,]+ versions\. Left: ", screen.text)

    s3, bucket = lived.cloud.client("s3"), lived.outputs["transformed_bucket_name"]
    file = tmp_path / "object.parquet"
    checked = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=TABLES_PREFIX):
        for version in page.get("Versions", ()):
            found = s3.get_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
            file.write_bytes(found["Body"].read())
            [(first,)] = duckdb.execute("SELECT min(_run_id) FROM read_parquet(?)", [str(file)]).fetchall()
            assert first > limit, version["Key"]
            checked += 1
    assert checked > len(TABLES)
    for table, count in later.items():
        [[both]] = lived.query(f'SELECT count(*) FROM (SELECT DISTINCT * FROM "{table}")').rows
        assert ((both,),) == count, table
    screen = Screen()
    purge(target(lived), before="2026-11-05", yes=True, console=screen.console)
    # Only the results of the queries above.
    assert "query results" in screen.text
    assert not re.search("tables/|compactions|raw/|will be replaced", screen.text)
