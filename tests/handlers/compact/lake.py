"""A transformed bucket to compact, and its twin that is never compacted: the tables of both must have the same rows."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import time_machine

from handlers.compact.bucket import TransformedBucket
from handlers.compact.event import CompactionEvent
from handlers.compact.partition import Retention
from handlers.compact.run import CompactionRun, Summary
from handlers.layout import COMPACTIONS_PREFIX, ManifestKey, RawKey, is_compacted, run_in, run_time, table_prefix
from handlers.tables import TABLES
from handlers.transform.mapping import STREAM_MAPPINGS
from handlers.transform.transformer import Transformer
from tests.handlers.transform.stage import compressed, metadata_of
from tests.handlers.transform.test_golden import fixture_lines, shapes_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RAW, TRANSFORMED, TWIN = "raw-bucket", "transformed-bucket", "twin-bucket"
DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""On the day after: the day's runs are closed."""
HOUR = timedelta(hours=1)
RETENTION = Retention(400, 3650)


class Lake:
    """The three buckets."""

    def __init__(self, s3: S3Client) -> None:
        self.s3 = s3
        self.now = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)

    def extract(
        self, stream: str, lines: Sequence[Any] | None = None, *, day: date = DAY, hour: int = 6, part: int = 0
    ) -> str:
        """Store a raw object of a run and transform it; return its key. Without lines it has those of a fixture."""
        run = f"{day:%Y%m%d}T{hour:02}0000Z-hourly"
        if lines is None:
            lines = [line for shape in shapes_of(stream) for line in fixture_lines(stream, shape)]
        lines = [{**line, "run_id": run} if isinstance(line, dict) else line for line in lines]
        key = str(RawKey(stream, run, part))
        self._put(key, compressed(lines), metadata_of(lines))
        return key

    def end_run(self, *, day: date = DAY, hour: int = 6, units: int = 2) -> str:
        """Store the manifest of a run and transform it."""
        run = f"{day:%Y%m%d}T{hour:02}0000Z-hourly"
        manifest = {
            "run_id": run, "trigger": "hourly", "status": "complete", "account_id": "a",
            "scheduled_at": f"{day}T06:00:00Z", "finished_at": f"{day}T06:01:00Z",
            "units": [{"stream": f"stream_{number}", "unit": "", "status": "complete"} for number in range(units)],
        }  # fmt: skip
        key = str(ManifestKey(run, 0))
        self._put(key, json.dumps(manifest).encode(), {})
        return key

    def everything(self, *, days: Iterable[date] = (DAY,), hours: Iterable[int] = (6, 7, 8)) -> None:
        """Run for some hours of some days, with something in every table."""
        hours = tuple(hours)
        for day in days:
            for hour in hours:
                for stream in STREAM_MAPPINGS:
                    self.extract(stream, day=day, hour=hour)
                self.extract("profile", [b"no JSON", b"{}"], day=day, hour=hour, part=1)
                self._put(f"raw/by hand/{day}-{hour}.jsonl.gz", b"", {})
                self.end_run(day=day, hour=hour)

    def replay(self, key: str, *, late: bool = False) -> None:
        """Transform a raw object or manifest again, by its clock on the day of its run, or if `late` on the next."""
        run = run_in(key)
        day = run_time(run) if run else self.now
        now = day.replace(hour=23, minute=30) + timedelta(days=late)
        with self.at(self.now):
            result = Transformer(self.s3, RAW, TRANSFORMED, lambda: now).transform(key)
        for output in result.outputs.keys:
            self.s3.put_object(Bucket=TWIN, Key=output, Body=self.body(output))
        for output in result.deleted:
            self.s3.delete_object(Bucket=TWIN, Key=output)

    def _put(self, key: str, body: bytes, metadata: Mapping[str, str]) -> None:
        with self.at(self.now):
            self.s3.put_object(Bucket=RAW, Key=key, Body=body, Metadata=dict(metadata))
        self.replay(key)

    def at(self, moment: datetime) -> time_machine.travel:
        """What S3 stores within has this time."""
        return time_machine.travel(moment, tick=False)

    def compact(self, now: datetime = NOON, **event: Any) -> Summary:
        """Run the compaction at some time."""
        with self.at(now):
            return self.run(now, **event).run()

    def run(self, now: datetime, *, retention: Retention = RETENTION, **event: Any) -> CompactionRun:
        """A run that has not begun."""
        return CompactionRun(self.bucket, retention, CompactionEvent.parse({"trigger": "manual", **event}), now)

    @property
    def bucket(self) -> TransformedBucket:
        """The bucket as the function sees it."""
        return TransformedBucket(self.s3, TRANSFORMED)

    def listed(self, prefix: str = "tables/", bucket: str = TRANSFORMED) -> list[str]:
        """The keys below a prefix."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def body(self, key: str) -> bytes:
        """The content of an object."""
        return self.s3.get_object(Bucket=TRANSFORMED, Key=key)["Body"].read()

    def files(self, table: str, bucket: str = TRANSFORMED) -> dict[str, pa.Table]:
        """The Parquet files of a table by their keys."""
        return {
            key: pq.read_table(io.BytesIO(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()))
            for key in self.listed(table_prefix(table), bucket)
        }

    def rows(self, table: str, bucket: str = TRANSFORMED) -> Counter[tuple[str, str]]:
        """The rows of a table, each with its partition, as often as they are there."""
        return Counter(
            (key.split("/")[2], json.dumps(row, default=str, sort_keys=True))
            for key, file in self.files(table, bucket).items()
            for row in file.to_pylist()
        )

    def tables(self, bucket: str = TRANSFORMED) -> dict[str, Counter[tuple[str, str]]]:
        """The rows of all tables."""
        return {table: self.rows(table, bucket) for table in TABLES}

    def record(self, table: str, partition: str) -> dict[str, Any]:
        """The record of a partition's compaction."""
        content: dict[str, Any] = json.loads(self.body(f"{COMPACTIONS_PREFIX}{table}/{partition}.json"))
        return content

    def compacted(self, table: str) -> list[str]:
        """The compacted objects of a table."""
        return [key for key in self.listed(table_prefix(table)) if is_compacted(key.rpartition("/")[2])]

    def partitions(self) -> Counter[str]:
        """How many objects each partition has."""
        return Counter(key.rpartition("/")[0] for key in self.listed())
