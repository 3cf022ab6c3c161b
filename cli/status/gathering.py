"""Gathers the status from state objects and AWS's APIs, all parts at the same time."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from cli.athena_queries import run_query
from cli.errors import CommandError
from cli.function_logs import read_lines
from cli.pipeline_functions import FUNCTIONS, DeployedFunction, deployed_function
from cli.runs import Attempt, attempt_keys, read_attempts, stream_results
from cli.secret_login import stored_login
from cli.status.cost import month_cost
from cli.status.parts import (
    COMPACTION_DAYS,
    RUN_DAYS,
    AlarmStatus,
    CompactionStatus,
    CostStatus,
    CrawlStatus,
    LastRun,
    LockStatus,
    LoginStatus,
    PipelineStatus,
    QueueStatus,
    RejectedStatus,
    ScheduleStatus,
    StreamFreshness,
)
from cli.status.problems import problems
from cli.targets import Target, aws_errors
from handlers import layout
from handlers.login_lifetime import LIFETIME_DAYS, WARN_FROM_DAYS
from handlers.login_secret import MalformedSecretError, NotLoggedInError
from handlers.raw.bucket import RawBucket
from handlers.streams import READABLE_STREAMS

REJECTED_DAYS = 7
_COMPLETE = "Compacted."
"""What the compact function logs if nothing is left."""
_HOURLY_RUNS = 48
_OVERDUE_HOURS = {"hourly": 3, "daily": 30}
"""Hours after which a stream is overdue: a run may have failed once, or waited for a lock."""
_REJECTED = """
SELECT reason, count(*) AS records
FROM rejections
WHERE _run_id >= '{since:%Y%m%dT%H%M%SZ}'
GROUP BY reason
ORDER BY records DESC, reason
"""
_NO_TABLE = ("does not exist", "TABLE_NOT_FOUND", "SCHEMA_NOT_FOUND")

Part = TypeVar("Part")


def gather_status(target: Target) -> PipelineStatus:
    """Return the status of a pipeline.

    Raises:
        CommandError: AWS refused a request.
    """
    # Clients are created one after another: boto3's session is not thread-safe.
    clients = {
        service: target.client(service)
        for service in ("athena", "cloudwatch", "glue", "lambda", "logs", "s3", "scheduler", "secretsmanager", "sqs")
    }
    target = dataclasses.replace(target, client=clients.__getitem__)
    extract = deployed_function(target, "extract")
    now = extract.asked_at
    gathering = _Gathering(target, extract, now)
    with ThreadPoolExecutor(10) as pool, aws_errors():
        parts: tuple[Callable[[], Any], ...] = (
            gathering.runs,
            gathering.queue,
            gathering.login,
            gathering.locks,
            gathering.alarms,
            gathering.rejected,
            gathering.schedules,
            gathering.compaction,
            gathering.crawl_and_cost,
        )
        futures = [pool.submit(part) for part in parts]
        runs, queue, login, locks, alarms, rejected, schedules, compaction, (crawl, cost) = [
            one.result() for one in futures
        ]
    streams = gathering.streams(runs, schedules)
    found = PipelineStatus(
        target=target.description,
        at=layout.written(now),
        healthy=True,
        problems=[],
        runs=_last_runs(runs),
        streams=streams,
        schedules=schedules,
        queue=queue,
        login=login,
        locks=locks,
        alarms=alarms,
        rejected=rejected,
        crawl=crawl,
        compaction=compaction,
        cost=cost,
    )
    sentences = problems(found)
    return PipelineStatus(**{**vars(found), "problems": sentences, "healthy": not sentences})


@dataclass(frozen=True)
class _Gathering:
    target: Target
    extract: DeployedFunction
    now: datetime

    def runs(self) -> list[list[Attempt]]:
        """Return the attempts of each of the last runs, the newest run first."""
        s3, bucket = self.target.client("s3"), self.target.outputs["raw_bucket_name"]
        keys = attempt_keys(s3, bucket, self.now - timedelta(days=RUN_DAYS))
        hourly = [key for key in keys if key.run_id.endswith("-hourly")][-_HOURLY_RUNS:]
        chosen = [key for key in keys if not key.run_id.endswith("-hourly") or key in hourly]
        attempts = read_attempts(s3, bucket, chosen)
        return [list(found) for _, found in groupby(attempts, key=lambda one: one.key.run_id)][::-1]

    def streams(self, runs: Sequence[Sequence[Attempt]], schedules: Sequence[ScheduleStatus]) -> list[StreamFreshness]:
        """Return the freshness of each stream that the stack reads."""
        enabled = set(self.extract.environment.get("STREAMS", "").split(","))
        scheduled = any(one.enabled for one in schedules)
        results = [(run, {result.stream: result for result in stream_results(run)}) for run in runs]
        found = []
        for name, stream in READABLE_STREAMS.items():
            if name not in enabled:
                continue
            of_stream = [(run, by_stream[name]) for run, by_stream in results if name in by_stream]
            good = next((run for run, result in of_stream if result.is_good), None)
            last = of_stream[0][1] if of_stream else None
            finished = good[-1].content["finished_at"] if good else None
            age = (self.now - datetime.fromisoformat(finished)) / timedelta(hours=1) if finished else None
            schedule = "hourly" if "hourly" in stream.schedules else "daily"
            late = age is None or age > _OVERDUE_HOURS[schedule]
            found.append(
                StreamFreshness(
                    stream=name,
                    schedule=schedule,
                    last_good_at=finished,
                    age_hours=None if age is None else round(max(age, 0.0), 1),
                    last_status=last.status if last else None,
                    last_reason=last.reason if last else None,
                    # A stack that has never run is not late.
                    overdue=bool(scheduled and runs and late),
                )
            )
        return found

    def queue(self) -> QueueStatus:
        """Return what waits in the queues."""
        outputs = self.target.outputs
        url = outputs["transform_queue_url"]
        waiting, in_flight = self._messages(url)
        queue = self.target.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        mappings = self.target.client("lambda").list_event_source_mappings(
            EventSourceArn=queue["Attributes"]["QueueArn"]
        )["EventSourceMappings"]
        return QueueStatus(
            waiting=waiting,
            in_flight=in_flight,
            consumed=any(mapping["State"] in ("Enabled", "Creating", "Enabling", "Updating") for mapping in mappings),
            dead_letters={step: sum(self._messages(url)) for step, url in outputs["dead_letter_queue_urls"].items()},
        )

    def _messages(self, url: str) -> tuple[int, int]:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.target.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        visible, hidden = (int(found.get(name, 0)) for name in names)
        return visible, hidden

    def login(self) -> LoginStatus:
        """Return the state of the login."""
        app_only = self.extract.environment.get("AUTH_MODE") == "app"
        try:
            login = stored_login(self.target, "app" if app_only else "user")
        except NotLoggedInError:
            return LoginStatus(state="missing")
        except MalformedSecretError:
            return LoginStatus(state="unreadable")
        if app_only:
            return LoginStatus(state="ok")
        if login.authorized_at is None or login.ends_on is None:
            return LoginStatus(state="unknown")
        days = (self.now - login.authorized_at).days
        state = "expired" if days >= LIFETIME_DAYS else "expires_soon" if days >= WARN_FROM_DAYS else "ok"
        return LoginStatus(
            state=state,
            authorized_at=layout.written(login.authorized_at),
            age_days=max(days, 0),
            ends_on=str(login.ends_on),
        )

    def locks(self) -> list[LockStatus]:
        """Return the quota groups that are locked now."""
        return active_locks(self.target, self.now)

    def alarms(self) -> list[AlarmStatus]:
        """Return the stack's alarms that are on."""
        pages = (
            self.target.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(ActionPrefix=self.target.output("alerts_topic_arn"), StateValue="ALARM")
        )
        found = [
            AlarmStatus(
                name=alarm.get("AlarmDescription", "").rpartition("#")[2] or alarm["AlarmName"],
                description=alarm.get("AlarmDescription", ""),
                since=layout.written(_aware(alarm["StateUpdatedTimestamp"]))
                if alarm.get("StateUpdatedTimestamp")
                else None,
            )
            for page in pages
            for alarm in page["MetricAlarms"]
            # The embedded cloud applies only one of the filters.
            if alarm["StateValue"] == "ALARM"
        ]
        return sorted(found, key=lambda one: one.name)

    def rejected(self) -> RejectedStatus:
        """Return how many records were rejected lately, by reason."""
        sql = _REJECTED.format(since=self.now - timedelta(days=REJECTED_DAYS))
        try:
            answer = run_query(
                self.target.client("athena"),
                sql,
                database=self.target.outputs["glue_database_name"],
                workgroup=self.target.outputs["athena_workgroup_name"],
            )
        except CommandError as error:
            why = (
                "the table is missing; `spotify-etl crawl` creates it"
                if any(one in str(error) for one in _NO_TABLE)
                else str(error)
            )
            return RejectedStatus(days=REJECTED_DAYS, records=None, unknown_because=why)
        return RejectedStatus(days=REJECTED_DAYS, records={str(reason): int(n or 0) for reason, n in answer.rows})

    def schedules(self) -> list[ScheduleStatus]:
        """Return the stack's schedules: those that start its functions or its crawler."""
        scheduler, found = self.target.client("scheduler"), []
        for page in scheduler.get_paginator("list_schedules").paginate():
            for listed in page["Schedules"]:
                arn = listed["Target"]["Arn"]
                if arn not in (self.extract.arn, *self._others) and not arn.endswith(":glue:startCrawler"):
                    continue
                try:
                    schedule = scheduler.get_schedule(Name=listed["Name"], GroupName=listed.get("GroupName", "default"))
                except ClientError as error:
                    # An operator may not read schedules of others, which start crawlers too.
                    if "AccessDenied" in error.response["Error"]["Code"] and arn.endswith(":glue:startCrawler"):
                        continue
                    raise
                if starts := self._starts(schedule["Target"]):
                    found.append(
                        ScheduleStatus(
                            starts=starts,
                            enabled=schedule["State"] == "ENABLED",
                            expression=schedule["ScheduleExpression"],
                            timezone=schedule.get("ScheduleExpressionTimezone", "UTC"),
                        )
                    )
        return sorted(found, key=lambda one: one.starts)

    @property
    def _others(self) -> dict[str, str]:
        """The ARNs of the functions that are not the extractor, and what their schedules are called."""
        account = self.extract.arn.rpartition(":")[0]
        return {f"{account}:{self.target.output(f'{step}_function_name')}": step for step in ("publish", "compact")}

    def _starts(self, target: dict[str, Any]) -> str:
        """Return what a schedule starts; '' for something of another stack."""
        try:
            event = json.loads(target.get("Input", ""))
        except ValueError:
            return ""
        if target["Arn"] == self.extract.arn:
            return f"{event.get('trigger')} run"
        if step := self._others.get(target["Arn"]):
            return "deletion" if event.get("delete_only") else step
        return "crawl" if event.get("Name") == self.target.outputs["glue_crawler_name"] else ""

    def compaction(self) -> CompactionStatus:
        """Return the last compaction of the last days."""
        group = self.target.output("log_group_names")["compact"]
        since = self.now - timedelta(days=COMPACTION_DAYS)
        lines = read_lines(self.target.client("logs"), "compact", group, since=since, containing="objects_deleted")
        ends = sorted((line for line in lines if "partitions" in line.fields), key=lambda line: line.at)
        last = next((line for line in reversed(ends) if line.message.startswith("Compacted")), None)
        if last is None:
            return CompactionStatus()
        numbers = {name: int(last.fields.get(name, 0)) for name in ("partitions", "left_alone")}
        # What it replaced may have been deleted since.
        numbers["waiting"] = int(ends[-1].fields.get("waiting", 0))
        return CompactionStatus(at=layout.written(last.at), complete=last.message == _COMPLETE, **numbers)

    def crawl_and_cost(self) -> tuple[CrawlStatus, CostStatus | None]:
        """Return the last crawl, and the month's cost, of which crawls are the largest part."""
        glue, name = self.target.client("glue"), self.target.outputs["glue_crawler_name"]
        crawler = glue.get_crawler(Name=name)["Crawler"]
        crawls = self._crawls_of_month(glue, name) if crawler.get("LastCrawl") or crawler["State"] != "READY" else []
        tables = [
            table["Name"]
            for page in glue.get_paginator("get_tables").paginate(
                DatabaseName=self.target.outputs["glue_database_name"]
            )
            for table in page["TableList"]
            if "DEPRECATED_BY_CRAWLER" in table.get("Parameters", {})
        ]
        last = crawler.get("LastCrawl", {})
        state = "running" if crawler["State"] != "READY" else str(last.get("Status", "never")).lower()
        ended = [crawl for crawl in crawls if crawl.get("EndTime")]
        newest = max(ended, key=lambda crawl: crawl["StartTime"], default={})
        crawl = CrawlStatus(
            state=state,
            started_at=layout.written(_aware(last["StartTime"])) if last.get("StartTime") else None,
            error=last.get("ErrorMessage"),
            dpu_hours=newest.get("DPUHour"),
            deprecated_tables=sorted(tables),
        )
        if self.target.local:
            return crawl, None
        functions = [self.extract, *(deployed_function(self.target, step) for step in FUNCTIONS[1:])]
        return crawl, month_cost(self.target, functions, ended, self.now)

    def _crawls_of_month(self, glue: Any, name: str) -> list[dict[str, Any]]:
        start = self.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        found: list[dict[str, Any]] = []
        token: dict[str, str] = {}
        # Glue has no paginator for it. The newest crawls come first.
        while True:
            page = glue.list_crawls(CrawlerName=name, **token)
            found += [crawl for crawl in page["Crawls"] if _aware(crawl["StartTime"]) >= start]
            if not page.get("NextToken") or len(found) < len(page["Crawls"]):
                return found
            token = {"NextToken": page["NextToken"]}


def active_locks(target: Target, now: datetime) -> list[LockStatus]:
    """Return the quota groups that Spotify has locked now."""
    stored = RawBucket(target.client("s3"), target.outputs["raw_bucket_name"]).get(layout.LOCKS_STATE_KEY)
    try:
        groups = json.loads(stored[0])["groups"] if stored else {}
        until = {str(group): datetime.fromisoformat(text) for group, text in groups.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    return [
        LockStatus(group=group, until=layout.written(moment))
        for group, moment in sorted(until.items())
        if moment.astimezone(UTC) > now
    ]


def _last_runs(runs: Sequence[Sequence[Attempt]]) -> list[LastRun]:
    """Return the newest run of each trigger."""
    newest: dict[str, LastRun] = {}
    for attempts in runs:
        content = attempts[-1].content
        newest.setdefault(
            content["trigger"],
            LastRun(
                trigger=content["trigger"],
                run_id=content["run_id"],
                status=content["status"],
                reason=content["reason"],
                finished_at=content["finished_at"],
                requests=sum(unit["requests"] for attempt in attempts for unit in attempt.units),
                records=sum(unit["records"] for attempt in attempts for unit in attempt.units),
            ),
        )
    return list(newest.values())


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
