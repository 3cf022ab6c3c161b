"""The acceptance suite: a throw-away stack does its work once, and AWS is asked whether all of it is as expected."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pulumi import automation

from cli.athena_queries import run_query
from cli.doctor.stack import check_lake_formation
from cli.errors import CommandError
from cli.presentation import pluralize
from cli.targets import Target
from embedded_aws import DeploymentError
from handlers.layout import OUTPUTS_PREFIX, outputs_key
from handlers.streams import STREAMS
from handlers.tables import COMMON, TABLES
from tests.acceptance.account import Account
from tests.acceptance.probes import policies_of, probes, try_role
from tests.acceptance.recorded_objects import recorded_objects
from tests.acceptance.trouble import explain
from tests.pipeline.program import ROOT

_WAITS = 120
"""At ten seconds each, twenty minutes."""
_MOST_DPU_HOURS = 2 * 10 / 60
"""Two DPU for ten minutes: docs/deploy.md computes the bill with it."""
_CHECKS_PER_LINE = 12
_CHECKS_PER_PUT = 30
_ERRORS = (
    BotoCoreError,
    ClientError,
    CommandError,
    DeploymentError,
    LookupError,
    TimeoutError,
    automation.CommandError,
)


@dataclass(frozen=True)
class Difference:
    """Something that was otherwise than expected."""

    step: str
    what: str
    """A sentence."""


def run_suite(account: Account, tell: Callable[[str], object]) -> list[Difference]:
    """Deploy, check everything and destroy; return what was otherwise than expected.

    Args:
        account: where to.
        tell: takes a line for each step.
    """
    found: list[Difference] = []

    def attempt(name: str, step: Callable[[], Iterator[str]]) -> bool:
        tell(f"{name} …")
        differences = []
        try:
            differences += [Difference(name, what) for what in step()]
        except _ERRORS as error:
            differences.append(Difference(name, explain(error)))
        except KeyboardInterrupt:
            found.append(Difference(name, "You interrupted it."))
            raise
        for difference in differences:
            tell(f"  {difference.what}")
        found.extend(differences)
        return not differences

    suite = _Suite(account, tell)
    # A deployment fails without it, and the reason is hard to find then.
    if not attempt("Lake Formation", suite.lake_formation):
        return found
    try:
        if attempt("Deploy", suite.deploy) or suite.outputs:
            for name, step in suite.steps.items():
                attempt(name, step)
    except KeyboardInterrupt:
        tell("  Interrupted: the stack is destroyed now, which takes some minutes.")
    with suppress(KeyboardInterrupt):
        attempt("Destroy", suite.destroy)
    return found


class _Suite:
    def __init__(self, account: Account, tell: Callable[[str], object]) -> None:
        self.account = account
        self.outputs: dict[str, Any] = {}
        self._tell = tell
        self._crawled_at = datetime.max.replace(tzinfo=UTC)
        self.recorded = list(recorded_objects())
        self.steps: dict[str, Callable[[], Iterator[str]]] = {
            "Before any crawl": self.empty,
            "Transform recorded objects": self.transform,
            "Crawl": self.crawl,
            "Publish": self.publish,
            "Tables": self.tables,
            "Rows": self.rows,
            "Views": self.views,
            "Named queries": self.named_queries,
            "Compact": self.compact,
            "Roles": self.roles,
        }

    def deploy(self) -> Iterator[str]:
        self.outputs = self.account.deploy()
        yield from ()

    def destroy(self) -> Iterator[str]:
        self._stop_crawler()
        self.account.destroy()
        yield from ()

    def _stop_crawler(self) -> None:
        """Let no crawl run: AWS deletes no crawler then."""
        if not self.outputs:
            return
        glue, name = self.account.client("glue"), self.outputs["glue_crawler_name"]

        def state() -> str:
            return str(glue.get_crawler(Name=name)["Crawler"]["State"])

        if state() == "RUNNING":
            with suppress(glue.exceptions.CrawlerNotRunningException, glue.exceptions.CrawlerStoppingException):
                glue.stop_crawler(Name=name)
        self._wait_for(lambda: state() == "READY", "The crawl did not stop within twenty minutes.")

    def lake_formation(self) -> Iterator[str]:
        target = Target("the account", self.outputs, self.account.client)
        yield from (check.text for check in check_lake_formation(target) if check.level != "ok")

    def empty(self) -> Iterator[str]:
        missing = {*_views(), *TABLES} - set(self._catalog())
        if missing:
            yield f"The deployment has not published {', '.join(sorted(missing))}."
        elif self._query("SELECT count(*) FROM listens") != (("0",),):
            yield "The view listens is not empty."

    def transform(self) -> Iterator[str]:
        s3, checks = self.account.client("s3"), itertools.count()

        def done() -> bool:
            page = s3.list_objects_v2(Bucket=self.outputs["transformed_bucket_name"], Prefix=OUTPUTS_PREFIX)
            made = {found["Key"] for found in page.get("Contents", ())}
            missing = [one for one in self.recorded if outputs_key(one.key) not in made]
            # It takes S3 some minutes until a new bucket sends events: what was put before that is put again.
            if next(checks) % _CHECKS_PER_PUT == 0:
                for one in missing:
                    s3.put_object(
                        Bucket=self.outputs["raw_bucket_name"], Key=one.key, Body=one.body, Metadata=one.metadata
                    )
            return not missing

        self._wait_for(done, "Not every recorded object was transformed within twenty minutes.")
        for step, url in self.outputs["dead_letter_queue_urls"].items():
            attributes = self.account.client("sqs").get_queue_attributes(
                QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
            )["Attributes"]
            if attributes["ApproximateNumberOfMessages"] != "0":
                yield f"The dead-letter queue {step} holds {attributes['ApproximateNumberOfMessages']} messages."

    def crawl(self) -> Iterator[str]:
        glue, name = self.account.client("glue"), self.outputs["glue_crawler_name"]
        glue.start_crawler(Name=name)

        def ready() -> bool:
            crawler = glue.get_crawler(Name=name)["Crawler"]
            return crawler["State"] == "READY" and "LastCrawl" in crawler

        self._wait_for(ready, "The crawl did not end within twenty minutes.")
        last = glue.get_crawler(Name=name)["Crawler"]["LastCrawl"]
        self._crawled_at = last["StartTime"]
        if last["Status"] != "SUCCEEDED":
            yield f"The crawl has {last['Status']}: {last.get('ErrorMessage', 'no message')}."
        self._wait_for(
            lambda: "DPUHour" in glue.list_crawls(CrawlerName=name)["Crawls"][0],
            "AWS did not say within twenty minutes how many DPU hours the crawl took.",
        )
        hours = glue.list_crawls(CrawlerName=name)["Crawls"][0]["DPUHour"]
        if not 0 < hours <= _MOST_DPU_HOURS:
            yield f"The crawl took {hours} DPU hours; the cost table expects at most {_MOST_DPU_HOURS:.2f}."

    def publish(self) -> Iterator[str]:
        logs, group = self.account.client("logs"), self.outputs["log_group_names"]["publish"]
        since = int(self._crawled_at.timestamp() * 1000)
        pages = logs.get_paginator("filter_log_events")
        self._wait_for(
            lambda: any(page["events"] for page in pages.paginate(logGroupName=group, startTime=since)),
            "The crawl did not start publish within twenty minutes: its event was lost, or the rule is wrong.",
        )
        views = _views()
        self._wait_for(
            lambda: {*views, *TABLES} <= set(self._catalog()),
            "The crawl was not followed by every table and view within twenty minutes.",
        )
        yield from (
            f"The catalog has the unexpected table {name}." for name in set(self._catalog()) - views - set(TABLES)
        )

    def tables(self) -> Iterator[str]:
        catalog = self._catalog()
        for name, table in TABLES.items():
            found = catalog.get(name)
            if found is None:
                yield f"The catalog has no table {name}."
                continue
            if found["Parameters"].get("DEPRECATED_BY_CRAWLER"):
                yield f"The crawler has marked {name} as deprecated."
            if found["Parameters"].get("classification") != "parquet":
                yield f"{name} is not classified as Parquet but as {found['Parameters'].get('classification')}."
            keys = [key["Name"] for key in found["PartitionKeys"]]
            if keys != [table.partition_key]:
                yield f"{name} is partitioned by {keys}, not by {table.partition_key}."
            columns = {column["Name"]: column["Type"] for column in found["StorageDescriptor"]["Columns"]}
            expected = {column.name: column.type for column in (*table.columns, *COMMON)}
            yield from (
                f"{name}.{column} is of type {columns.get(column)}, not {kind}."
                for column, kind in expected.items()
                if columns.get(column) != kind
            )

    def rows(self) -> Iterator[str]:
        lines: Counter[str] = Counter()
        for one in self.recorded:
            if one.stream:
                lines[STREAMS[one.stream].table] += one.lines
        for stream, count in self._query(
            "SELECT stream, count(*) FROM rejected_records WHERE _line > 0 GROUP BY stream"
        ):
            lines[STREAMS[str(stream)].table] -= int(count or 0)
        for name, expected in sorted(lines.items()):
            [[count]] = self._query(f'SELECT count(*) FROM "{name}"')
            if int(count or 0) != expected:
                yield f"{name} has {count} rows; {expected} lines were put."

    def views(self) -> Iterator[str]:
        for name in sorted(_views()):
            [[count]] = self._query(f'SELECT count(*) FROM "{name}"')
            if name.startswith("current_") and name != "current_labels" and count == "0":
                yield f"The view {name} is empty."

    def named_queries(self) -> Iterator[str]:
        athena = self.account.client("athena")
        expected = {path.stem for path in (ROOT / "queries" / "named").glob("*.sql")}
        if set(self.outputs["named_queries"]) != expected:
            yield "The stack's named queries are not those of the repository."
        for name, identity in sorted(self.outputs["named_queries"].items()):
            query = athena.get_named_query(NamedQueryId=identity)["NamedQuery"]
            try:
                self._query(query["QueryString"])
            except CommandError as error:
                yield f"The named query {name} fails: {error}"

    def compact(self) -> Iterator[str]:
        """Compact what was recorded on days that are over: twice, so that originals wait for queries that read them."""
        before = self._counts()
        results = [self._compact(), self._compact()]
        for number, result in enumerate(results, start=1):
            if result.get("errorMessage"):
                yield f"Compaction {number} failed: {result['errorMessage']}"
            elif result["left_alone"]:
                yield f"Compaction {number} left objects alone: {result['left_alone']}"
        if not results[0].get("partitions"):
            yield "The first compaction compacted nothing."
        if results[1].get("partitions"):
            yield f"The second compaction compacted {results[1]['partitions']} partitions again."
        after = self._counts()
        yield from (
            f"{name} has {after[name]} rows after the compaction, and had {count} before."
            for name, count in before.items()
            if after[name] != count
        )

    def _compact(self) -> dict[str, Any]:
        answer = self.account.client("lambda").invoke(
            FunctionName=self.outputs["compact_function_name"], Payload=json.dumps({"trigger": "manual"})
        )
        result: dict[str, Any] = json.load(answer["Payload"])
        return result

    def _counts(self) -> dict[str, str | None]:
        """Return the number of rows of each view; tables have those of compacted objects twice for a while."""
        sql = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in sorted(_views()))
        return {str(name): count for name, count in self._query(sql)}

    def roles(self) -> Iterator[str]:
        for probe in probes(self.outputs):
            yield from try_role(self.account, probe, policies_of(self.account, self.outputs, probe.name))

    def _catalog(self) -> dict[str, Any]:
        pages = self.account.client("glue").get_paginator("get_tables")
        found = pages.paginate(DatabaseName=self.outputs["glue_database_name"])
        return {table["Name"]: table for page in found for table in page["TableList"]}

    def _query(self, sql: str) -> tuple[tuple[str | None, ...], ...]:
        return run_query(
            self.account.client("athena"),
            sql,
            database=self.outputs["glue_database_name"],
            workgroup=self.outputs["athena_workgroup_name"],
        ).rows

    def _wait_for(self, done: Callable[[], bool], otherwise: str) -> None:
        for number in range(1, _WAITS + 1):
            if done():
                return
            self.account.wait()
            if number % _CHECKS_PER_LINE == 0:
                self._tell(f"  still waiting, {pluralize(number * 10 // 60, 'minute')} so far")
        raise TimeoutError(otherwise)


def _views() -> set[str]:
    return {path.stem for path in (ROOT / "queries" / "views").glob("*.sql")}
