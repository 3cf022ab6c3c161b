"""How commands wait for the transform, a crawl and the publish function, with services that answer as told."""

from __future__ import annotations

import io
import json
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from cli.errors import CommandError, StillRunningError
from cli.following import CrawlOutcome, follow_crawl, follow_transform, keys_of_run
from cli.presentation import Steps
from cli.targets import Target
from handlers.layout import outputs_key

RUN = "20261123T060000Z-manual"
NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
KEYS = [
    f"raw/saved_tracks/dt=2026-11-23/{RUN}-00000.jsonl.gz",
    f"raw/saved_tracks/dt=2026-11-23/{RUN}-00001.jsonl.gz",
    f"runs/dt=2026-11-23/{RUN}-000.json",
]
OUTPUTS = {
    "raw_bucket_name": "raw",
    "transformed_bucket_name": "transformed",
    "dead_letter_queue_urls": {"transform": "https://queue"},
    "glue_database_name": "spotify_dev",
    "glue_crawler_name": "crawler",
    "log_group_names": {"publish": "publish-logs"},
}


class Services:
    """All clients in one: objects, dead letters, a crawler and a log."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, datetime]] = {"raw": {}, "transformed": {}}
        self.dead_letters = 0
        self.on_list: Callable[[], None] = lambda: None
        self.listed: list[str] = []
        self.states = ["RUNNING", "STOPPING", "READY"]
        self.running = False
        self.last: dict[str, Any] = {"StartTime": NOW - timedelta(days=1), "Status": "SUCCEEDED"}
        self.crawl: dict[str, Any] = {"StartTime": NOW, "Status": "SUCCEEDED"}
        self.tables: dict[str, tuple[list[str], int]] = {"plays": (["a"], 3)}
        self.tables_after: dict[str, tuple[list[str], int]] = {"plays": (["a", "b"], 5), "runs": (["c"], 1)}
        self.log = [published(views=["listens"])]
        self.exceptions = type("Exceptions", (), {"CrawlerRunningException": RunningError})

    def target(self) -> Target:
        return Target("the stack dev", OUTPUTS, lambda _: self)

    def get_paginator(self, operation: str) -> Any:
        return type("Pages", (), {"paginate": staticmethod(getattr(self, f"page_of_{operation}"))})

    def page_of_list_objects_v2(self, Bucket: str, Prefix: str) -> Iterator[Any]:  # noqa: N803 - as in boto3
        self.listed.append(Prefix)
        self.on_list()
        found = self.objects[Bucket].items()
        yield {"Contents": [{"Key": key, "LastModified": at} for key, at in found if key.startswith(Prefix)]}

    def get_queue_attributes(self, **_: Any) -> Any:
        return {"Attributes": {"ApproximateNumberOfMessages": str(self.dead_letters)}}

    def start_crawler(self, **_: Any) -> None:
        if self.running:
            raise RunningError

    def get_crawler(self, **_: Any) -> Any:
        if not self.states:
            return {"Crawler": {"State": "READY", "LastCrawl": self.crawl}}
        state = self.states.pop(0)
        if state == "CTRL-C":
            signal.default_int_handler(signal.SIGINT, None)
        if state == "READY":
            self.tables = self.tables_after
        return {"Crawler": {"State": state, "LastCrawl": self.crawl if state == "READY" else self.last}}

    def list_crawls(self, **_: Any) -> Any:
        return {"Crawls": [{"StartTime": NOW, "EndTime": NOW + timedelta(minutes=2), "DPUHour": 0.125}]}

    def page_of_get_tables(self, **_: Any) -> Iterator[Any]:
        views = [{"Name": "listens", "TableType": "VIRTUAL_VIEW"}]
        yield {
            "TableList": views
            + [
                {"Name": name, "StorageDescriptor": {"Columns": [{"Name": column} for column in columns]}}
                for name, (columns, _) in self.tables.items()
            ]
        }

    def page_of_get_partitions(self, TableName: str, **_: Any) -> Iterator[Any]:  # noqa: N803 - as in boto3
        yield {"Partitions": [{}] * self.tables[TableName][1]}

    def page_of_filter_log_events(self, logGroupName: str, startTime: int) -> Iterator[Any]:  # noqa: N803 - as in boto3
        assert logGroupName == "publish-logs"
        assert startTime == (NOW + timedelta(minutes=2)).timestamp() * 1000
        yield {"events": [{"message": line} for line in self.log]}


class RunningError(Exception):
    """A crawl is running."""


def published(views: list[str]) -> str:
    summary = {
        "tables_created": [],
        "columns_added": {},
        "partition_keys_renamed": {},
        "partitions_registered": {},
        "views_created": views,
        "views_unchanged": 27,
    }
    return json.dumps({"level": "INFO", "message": "Published.", "summary": summary})


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    monkeypatch.setattr("cli.following._POLL_SECONDS", 0)
    return Services()


def steps() -> Steps:
    return Steps(Console(file=io.StringIO(), width=200))


def said(made: Steps) -> list[str]:
    assert isinstance(made.console.file, io.StringIO)
    return [line.strip() for line in made.console.file.getvalue().splitlines() if line.startswith("    ")]


def transform(services: Services, *, since: datetime | None = None) -> None:
    with steps().step("Transform") as result:
        follow_transform(services.target(), KEYS, result, since=since)


def crawl(services: Services) -> tuple[CrawlOutcome, list[str]]:
    made = steps()
    return follow_crawl(services.target(), made), said(made)


def test_keys_of_a_run_are_its_objects_and_manifests(services: Services) -> None:
    other = f"raw/saved_tracks/dt=2026-11-23/{RUN.replace('06', '07')}-00000.jsonl.gz"
    services.objects["raw"] = dict.fromkeys([*KEYS, other], NOW)
    assert sorted(keys_of_run(services.target(), RUN)) == KEYS


def test_transform_is_done_when_each_object_has_its_record(services: Services) -> None:
    arriving = iter(KEYS)

    def transform_one() -> None:
        for key in arriving:
            services.objects["transformed"][outputs_key(key)] = NOW
            break

    services.on_list = transform_one
    transform(services)
    assert set(services.objects["transformed"]) == set(map(outputs_key, KEYS))
    # Objects that are next to each other are listed together.
    assert services.listed[0] == f"outputs/raw/saved_tracks/dt=2026-11-23/{RUN}-0000"


def test_earlier_records_do_not_count_for_a_replay(services: Services) -> None:
    services.objects["transformed"] = {outputs_key(key): NOW - timedelta(days=1) for key in KEYS}
    looks = iter(range(4))

    def transform_again() -> None:
        if next(looks, None) is None:
            services.objects["transformed"] = {outputs_key(key): NOW for key in KEYS}

    services.on_list = transform_again
    transform(services, since=NOW)
    assert len(services.listed) > 4


def test_object_that_was_given_up_ends_the_waiting(services: Services) -> None:
    services.dead_letters = 2  # An earlier one is not this run's.

    def give_up() -> None:
        services.dead_letters = 3

    services.on_list = give_up
    with pytest.raises(CommandError, match=r"^The transform function gave up on 1 message: see `spotify-etl logs --f"):
        transform(services)


def test_waiting_ends_without_progress(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.following._PATIENCE_MINUTES", 0)
    services.objects["transformed"] = {outputs_key(KEYS[0]): NOW}
    with pytest.raises(CommandError, match=r"^2 objects of 3 had not been transformed after 0 minutes without"):
        transform(services)


def test_crawl_says_what_is_new(services: Services) -> None:
    outcome, lines = crawl(services)
    assert outcome == CrawlOutcome(
        new_tables=("runs",), changed_tables=("plays",), new_partitions=3, views=1, dpu_hours=0.125
    )
    assert lines == [
        "1 table new: runs",
        "1 table with new columns: plays",
        "3 new partitions",
        "0.12 DPU hours",
        "1 view created or replaced, 27 unchanged",
    ]


def test_crawl_that_runs_already_is_followed(services: Services) -> None:
    services.running = True
    outcome, lines = crawl(services)
    assert lines[0] == "A crawl was already running; this is its result."
    assert outcome.new_partitions == 3


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        (
            {"Status": "FAILED", "ErrorMessage": "Access denied.", "LogGroup": "/aws-glue/crawlers", "LogStream": "c"},
            "The crawl failed (Access denied): its log is the stream c of /aws-glue/crawlers; run `spotify-etl crawl`",
        ),
        ({"Status": "CANCELLED"}, "The crawl was stopped: run `spotify-etl crawl` again."),
    ],
)
def test_crawl_that_fails_is_one_sentence(services: Services, last: dict[str, Any], sentence: str) -> None:
    services.crawl = {"StartTime": NOW, **last}
    with pytest.raises(CommandError) as failed:
        crawl(services)
    assert str(failed.value).startswith(sentence)


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"level": "ERROR", "message": "A view could not be published.", "view": "v", "reason": "no"}),
        json.dumps({"log_level": "ERROR", "errorType": "PublishError", "errorMessage": "A view could not be"}),
        "[ERROR] PublishError: A view could not be published",
    ],
)
def test_publish_that_fails_is_one_sentence(services: Services, line: str) -> None:
    services.log = ["START RequestId: 1", line, published([])]
    with pytest.raises(CommandError, match=r"^The publish function failed \(.*A view could not be.*\): see `spotify"):
        crawl(services)


def test_publish_that_never_runs_is_one_sentence(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.following._PATIENCE_MINUTES", 0)
    services.log = ["START RequestId: 1"]
    with pytest.raises(CommandError, match=r"^The publish function has not run within 0 minutes of the crawl: see"):
        crawl(services)


def test_ctrl_c_says_what_goes_on(services: Services) -> None:
    services.states = ["READY", "RUNNING", "CTRL-C"]
    with pytest.raises(StillRunningError, match=r"^Stopped waiting\. The crawl continues on its own"):
        crawl(services)
