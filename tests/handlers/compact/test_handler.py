from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from handlers.compact import handler as module
from handlers.compact.event import CompactionEventError
from handlers.layout import COMPACTIONS_PREFIX
from tests.handlers.compact.lake import DAY, HOUR, NOON, TRANSFORMED, TWIN, Lake
from tests.handlers.transform.test_handler import Context

handle: Any = module.handler
"""The handler, which here gets a stand-in for Lambda's context."""
SCHEDULED = {"trigger": "schedule"}


@pytest.fixture(autouse=True)
def cold() -> Iterator[None]:
    module._s3.cache_clear()
    yield
    module._s3.cache_clear()


def invoke(lake: Lake, at: Any = NOON, event: Any = None, *, remaining: int = 900_000) -> Any:
    with lake.at(at):
        return handle(event or SCHEDULED, Context("compact", remaining=[remaining]))


def test_the_result_says_what_was_done(lake: Lake) -> None:
    for hour in range(3):
        lake.extract("top_tracks", hour=hour)
        lake.extract("top_tracks", day=DAY - timedelta(days=440), hour=hour)
    first = invoke(lake)
    tables = {key.split("/")[1] for key in lake.listed("tables/")}
    assert first == {
        "partitions": len(tables), "objects_read": 3 * len(tables), "objects_deleted": 0, "waiting": len(tables),
        "expired": 3 * len(tables), "remaining": 0, "left_alone": [],
    }  # fmt: skip
    second = invoke(lake, NOON + HOUR)
    assert (second["partitions"], second["objects_deleted"], second["waiting"]) == (0, 3 * len(tables), 0)
    assert len(lake.listed("tables/")) == len(lake.listed(COMPACTIONS_PREFIX)) == len(tables)
    kept = {row: count for row, count in lake.rows("top_tracks", TWIN).items() if row[0] == "month=2026-11"}
    assert lake.rows("top_tracks") == kept


def test_a_run_that_only_deletes_is_no_compaction_in_the_log(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    for hour in range(2):
        lake.extract("top_tracks", hour=hour)
    invoke(lake)
    done = invoke(lake, NOON + HOUR, {**SCHEDULED, "delete_only": True})
    assert (done["partitions"], done["waiting"], done["objects_deleted"] > 0) == (0, 0, True)
    assert [record.getMessage() for record in caplog.records] == ["Compacted.", "Deleted what was replaced."]


def test_only_what_the_event_names_is_compacted(lake: Lake) -> None:
    for day in (DAY, DAY - timedelta(days=40)):
        for hour in range(2):
            lake.extract("top_tracks", day=day, hour=hour)
            lake.end_run(day=day, hour=hour)
    assert invoke(lake, event={"trigger": "manual", "table": "top_tracks", "month": "2026-10"})["partitions"] == 1
    assert invoke(lake, event={"trigger": "manual", "month": "2026-10", "table": "runs"})["partitions"] == 1
    assert [key.split("/")[1:3] for key in lake.listed() if "compacted-" in key] == [
        ["runs", "year=2026"],
        ["top_tracks", "month=2026-10"],
    ]


def test_without_time_everything_remains(lake: Lake) -> None:
    for hour in range(2):
        lake.end_run(hour=hour)
    found = invoke(lake, remaining=100_000)
    assert (found["partitions"], found["remaining"]) == (0, 1)


def test_objects_left_alone_are_counted_for_the_alarm(
    lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[tuple[str, Any]] = []
    monkeypatch.setattr(module.LOG, "warning", lambda message, extra: warnings.append((message, extra)))
    for number in range(103):
        lake.s3.put_object(Bucket=TRANSFORMED, Key=f"tables/plays/{number:03}.csv", Body=b"x")
    found = invoke(lake)
    assert found["left_alone"][0] == {
        "key": "tables/plays/000.csv",
        "reason": "This project does not write objects with such a key.",
    }
    assert len(found["left_alone"]) == 100
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["ObjectsLeftAlone"] for line in lines if "ObjectsLeftAlone" in line] == [[103.0]]
    assert warnings[0] == (
        "An object was left alone.",
        {"object_key": "tables/plays/000.csv", "reason": found["left_alone"][0]["reason"]},
    )
    assert len(warnings) == 100


def test_without_such_objects_there_is_no_metric(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    lake.end_run()
    invoke(lake)
    assert "_aws" not in capsys.readouterr().out


def test_what_fails_is_named_once_everything_else_is_done(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(2):
        lake.extract("top_tracks", hour=hour)
        lake.end_run(hour=hour)
    compact = module.CompactionRun._compact  # type: ignore[attr-defined]

    def fail(self: Any, partition: Any) -> None:
        if partition.table != "runs":
            raise OSError(5, "Input/output error")
        compact(self, partition)

    monkeypatch.setattr(module.CompactionRun, "_compact", fail)  # type: ignore[attr-defined]
    with pytest.raises(module.CompactError) as error:
        invoke(lake)
    tables = {key.split("/")[1] for key in lake.listed()} - {"runs"}
    message = str(error.value)
    assert message.startswith(f"{len(tables)} not compacted: ")
    assert f"top_tracks/month={DAY:%Y-%m}: [Errno 5] Input/output error" in message
    assert len(lake.compacted("runs")) == 1


def test_the_message_names_so_many_partitions_at_most() -> None:
    message = module._failures({f"plays/month=2026-{number:02}": "Refused." for number in range(1, 25)})
    assert message.startswith("24 not compacted: plays/month=2026-01: Refused; plays/month=2026-02: Refused; ")
    assert message.endswith("plays/month=2026-20: Refused; and 4 more.")


def test_an_event_that_is_wrong_changes_nothing(lake: Lake) -> None:
    for hour in range(2):
        lake.end_run(hour=hour)
    before = lake.listed("")
    with pytest.raises(CompactionEventError, match="The event's table is 'play'"):
        invoke(lake, event={"trigger": "manual", "table": "play"})
    assert lake.listed("") == before
