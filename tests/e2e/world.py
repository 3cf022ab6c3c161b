"""A deployed pipeline that reads a simulated library in simulated time, for the end-to-end tests."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cli.athena_queries import QueryResult, run_query
from cli.demo import log_in
from handlers.layout import OUTPUTS_PREFIX, RAW_PREFIX, outputs_key
from handlers.streams import READABLE_STREAMS, STREAMS, default_streams
from local.cloud import EmbeddedCloud
from spotify_simulator import Library, LibraryPlan, Shape

ROOT = Path(__file__).parents[2]
TIMEZONE = "Europe/Berlin"
START = datetime(2026, 11, 2, 4, 30, tzinfo=UTC)
"""Half an hour before the first daily run."""
FIRST_DAILY_RUN = START + timedelta(minutes=30)
FIRST_HOURLY_RUN = START + timedelta(minutes=50)
FIRST_CRAWL = FIRST_DAILY_RUN + timedelta(minutes=45)
FIRST_SCHEDULED_PUBLISH = FIRST_CRAWL + timedelta(minutes=30)
FIRST_COMPACTION = FIRST_SCHEDULED_PUBLISH + timedelta(minutes=30)
AFTER_VIEWS = timedelta(hours=2)
"""From a day's `START` time until its daily run, crawl and views are done; nothing in the library changes so early."""


@dataclass(kw_only=True)
class World:
    """A running cloud, what was deployed into it, and the library that it reads."""

    cloud: EmbeddedCloud
    library: Library
    outputs: dict[str, Any]
    shape: Shape
    """How the simulator's Web API answers."""
    catalogue: tuple[str, ...] = ()
    """What the setting `catalogueUris` names."""
    days: int = 0

    @property
    def extended(self) -> bool:
        """Whether the simulated Web API answers as it did before February 2026."""
        return self.shape == "extended"

    @property
    def mornings(self) -> list[datetime]:
        """When the daily runs took place."""
        return [on_day(day, FIRST_DAILY_RUN) for day in range(self.days + 1)]

    def live(self, days: int) -> None:
        """Run until the daily run, the crawl and the views of the day after `days` days are done."""
        self.days = days
        self.cloud.run_until(on_day(days, START + AFTER_VIEWS))

    def query(self, sql: str) -> QueryResult:
        """Run a query in Athena."""
        return run_query(
            self.cloud.client("athena"),
            sql,
            database=self.outputs["glue_database_name"],
            workgroup=self.outputs["athena_workgroup_name"],
        )

    def objects(self, bucket: str, prefix: str = "") -> Iterator[tuple[str, bytes, dict[str, str]]]:
        """Yield key, body and metadata of every object in the bucket that an output names."""
        s3, name = self.cloud.client("s3"), self.outputs[bucket]
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix):
            for found in page.get("Contents", ()):
                response = s3.get_object(Bucket=name, Key=found["Key"])
                yield found["Key"], response["Body"].read(), response["Metadata"]

    def manifests(self) -> list[dict[str, Any]]:
        """Return every run manifest, in the order of their keys."""
        return [json.loads(body) for _, body, _ in self.objects("raw_bucket_name", "runs/")]

    def errors(self) -> list[str]:
        """Return one sentence for each step that has failed in the cloud so far."""
        return [f"{step.kind} {step.name}: {step.detail}" for step in self.cloud.log if not step.ok]


def on_day(days: int, first: datetime) -> datetime:
    """Return when it is as late as at `first` where the schedules are, `days` days after it."""
    return (first.astimezone(ZoneInfo(TIMEZONE)) + timedelta(days=days)).astimezone(UTC)


def line_counts(one: World) -> dict[str, tuple[str, int, int]]:
    """Return by key each raw object's stream, its lines, and its rows in the stream's table plus rejected records."""
    outputs = {key: json.loads(body) for key, body, _ in one.objects("transformed_bucket_name", OUTPUTS_PREFIX)}
    counted: dict[str, tuple[str, int, int]] = {}
    for key, body, metadata in one.objects("raw_bucket_name", RAW_PREFIX):
        lines = gzip.decompress(body).splitlines()
        assert metadata["lines"] == str(len(lines))
        stream = json.loads(lines[0])["stream"]
        output = outputs[outputs_key(key)]
        counted[key] = (stream, len(lines), output["rows"].get(STREAMS[stream].table, 0) + output["rejected"])
    return counted


@contextmanager
def world(
    folder: Path,
    plan: LibraryPlan,
    *,
    shape: Shape = "development",
    logged_in: bool = True,
    every_stream: bool = False,
    config: Mapping[str, str] | None = None,
) -> Iterator[World]:
    """Deploy the program and log in; no schedule has fired yet."""
    library = Library.planned(7, plan, start=START)
    streams = tuple(READABLE_STREAMS) if every_stream else default_streams()
    catalogue = library.uris_to_ask_for() if every_stream else ()
    wanted = {"streams": json.dumps(streams), "catalogueUris": json.dumps(catalogue)} if every_stream else {}
    with EmbeddedCloud(folder, start=START, library=library, shape=shape) as cloud:
        outputs = cloud.deploy(ROOT, config={"timezone": TIMEZONE, **wanted, **(config or {})})
        if logged_in:
            log_in(cloud, outputs["spotify_secret_name"], streams)
        yield World(cloud=cloud, library=library, outputs=outputs, shape=shape, catalogue=catalogue)
