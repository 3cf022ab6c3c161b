"""Glue crawlers: StartCrawler and their schedules, states and events.

Source: https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-glue.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from moto.glue.exceptions import CrawlerRunningException
from moto.glue.models import FakeCrawl, FakeCrawler

from embedded_aws.clock import SimulatedClock
from embedded_aws.iam.authorization import AccessDeniedError
from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.runtime.pending import ComingStart
from embedded_aws.runtime.role_sessions import RoleSessions
from embedded_aws.runtime.step_log import StepLog
from embedded_aws.runtime.timers import Timers
from embedded_aws.server.server import AwsServer
from embedded_aws.services.events.rules import Rules
from embedded_aws.services.glue import crawler_administration, searching
from embedded_aws.services.glue.crawl import Crawl, CrawlError, CrawlResult, FooterCache
from embedded_aws.services.glue.crawler_administration import SCHEDULED, schedule_state
from embedded_aws.services.logs.log_streams import LogWriter
from embedded_aws.services.scheduler.expressions import (
    BEFORE,
    Expression,
    ScheduleExpressionError,
    latest_between,
    parse,
)

_DURATION = timedelta(minutes=2)
"""Simulated duration of a crawl: about what a small one takes in AWS, most of it startup."""

_DURATION_IN_REAL_TIME = timedelta(seconds=3)
"""Nobody should have to wait for a startup that does not take place."""

_DPUS = 2
"""Data processing units of a small crawl."""

_LOG_GROUP = "/aws-glue/crawlers"

_HANDLER = "end of a crawl"


class Crawlers:
    """Runs crawlers; a crawl does all its work at the end of its duration."""

    def __init__(
        self,
        server: AwsServer,
        clock: SimulatedClock,
        steps: StepLog,
        timers: Timers,
        sessions: RoleSessions,
        rules: Rules,
        in_real_time: Callable[[], bool],
    ) -> None:
        self._in_real_time = in_real_time
        self._server = server
        self._sessions = sessions
        self._clock = clock
        self._steps = steps
        self._timers = timers
        self._rules = rules
        self._logs = LogWriter(server)
        self._footers: FooterCache = {}
        self._errors: dict[str, str] = {}
        self._fired: dict[tuple[str, str], datetime] = {}
        self._invalid: set[tuple[str, str]] = set()
        self._patches = ExitStack()
        timers.register(_HANDLER, self._end_named)

    def install(self) -> None:
        """Make crawls take time and do their work; moto completes a crawl the first time its state is requested."""
        describe = FakeCrawler.as_dict

        def as_dict(crawler: FakeCrawler) -> dict[str, Any]:
            shown = describe(crawler)
            if crawler.schedule:
                shown["Schedule"]["State"] = schedule_state(crawler)
            if crawler.crawls:
                last = crawler.crawls[-1]
                # While a crawl runs, LastCrawl is the previous one.
                ended = [crawl for crawl in crawler.crawls if crawl.end_time is not None]
                if last.end_time is None and not ended:
                    del shown["LastCrawl"]
                elif ended:
                    shown["LastCrawl"] = _last_crawl(ended[-1], self._errors[ended[-1].crawl_id])
            return shown

        def start_crawler(crawler: FakeCrawler) -> None:
            self._start(crawler)

        def advance(_crawl: FakeCrawl) -> None:
            """Do nothing: requesting a crawl's state does not end it."""

        self._patches.enter_context(patch.object(FakeCrawler, "start_crawler", start_crawler))
        self._patches.enter_context(patch.object(FakeCrawler, "as_dict", as_dict))
        self._patches.enter_context(patch.object(FakeCrawl, "advance", advance))
        for (owner, name), replacement in (crawler_administration.REPLACEMENTS | searching.REPLACEMENTS).items():
            # moto does not implement all of them.
            self._patches.enter_context(patch.object(owner, name, replacement, create=not hasattr(owner, name)))

    def close(self) -> None:
        """Restore moto's behaviour."""
        self._patches.close()

    def state(self) -> Any:
        """Return the state to keep."""
        return dict(self._errors), dict(self._fired)

    def restore(self, state: Any) -> None:
        """Continue from a kept state."""
        self._errors, self._fired = state

    def next_due(self) -> datetime | None:
        """Return when the next crawler with a schedule starts."""
        return min((start.at for start in self.coming()), default=None)

    def coming(self) -> Iterator[ComingStart]:
        """Yield when each crawler with a schedule starts next."""
        for crawler in self._crawlers():
            if due := self._due(crawler):
                yield ComingStart(name=crawler.name, at=due)

    def run_due(self) -> bool:
        """Start the crawlers that are due; return whether there were any."""
        started_any = False
        for crawler in self._crawlers():
            due = self._due(crawler)
            if due is not None and due <= self._clock.now:
                self._fired[crawler.name, crawler.schedule] = due
                started_any = True
                try:
                    self._start(crawler)
                except CrawlerRunningException as error:
                    self._steps.record("crawl", crawler.name, error.message, ok=False)
        return started_any

    def catch_up(self) -> None:
        """Skip all missed starts of each crawler but the last."""
        for crawler in self._crawlers():
            expression, after = self._expression(crawler)
            latest = latest_between(expression, after, self._clock.now) if expression is not None else None
            if latest is not None:
                self._fired[crawler.name, crawler.schedule] = latest - BEFORE

    def _crawlers(self) -> list[FakeCrawler]:
        return list(self._server.backend("glue").get_crawlers())

    def _due(self, crawler: FakeCrawler) -> datetime | None:
        """Return when a crawler is due; its schedule is in UTC."""
        expression, after = self._expression(crawler)
        return expression.next_after(after) if expression is not None else None

    def _expression(self, crawler: FakeCrawler) -> tuple[Expression | None, datetime]:
        """Return a crawler's schedule, None without one that is running, and the moment after which it starts next.

        A data folder of an earlier version may hold one that is invalid, which does not run.
        """
        since = getattr(crawler, "schedule_since", crawler.creation_time).replace(tzinfo=UTC)
        after = max(self._fired.get((crawler.name, crawler.schedule), since), since)
        if not crawler.schedule or schedule_state(crawler) != SCHEDULED:
            return None, after
        try:
            return parse(crawler.schedule, start=since), after
        except ScheduleExpressionError as error:
            if (crawler.name, crawler.schedule) not in self._invalid:
                self._invalid.add((crawler.name, crawler.schedule))
                self._steps.record("crawl", crawler.name, str(error), ok=False)
            return None, after

    def _start(self, crawler: FakeCrawler) -> None:
        if crawler.status != "READY":
            raise CrawlerRunningException(f"Crawler with name {crawler.name} has already started")
        crawl = FakeCrawl(crawler.name)
        crawler.crawls.append(crawl)
        started = {"startTime": _timestamp(self._clock.now), "state": "Started", "message": "Crawler Started"}
        self._emit(crawler, started)
        duration = _DURATION_IN_REAL_TIME if self._in_real_time() else _DURATION
        self._timers.call_at(self._clock.now + duration, _HANDLER, (crawler.name, crawl.crawl_id))

    def _end_named(self, names: tuple[str, str]) -> None:
        """End a crawl, given its crawler's name and its own id, unless the crawler was deleted."""
        for crawler in self._crawlers():
            for crawl in crawler.crawls:
                if (crawler.name, crawl.crawl_id) == names and crawl.end_time is None:
                    self._end(crawler, crawl)

    def _end(self, crawler: FakeCrawler, crawl: FakeCrawl) -> None:
        """Do the work of a crawl and report its outcome."""
        begin = time.monotonic()
        result, error, credentials = CrawlResult(), "", None
        if crawl.status == "STOPPING":
            crawl.status = "STOPPED"
        else:
            try:
                role_arn = self._role_arn(crawler.role)
                credentials = self._sessions.credentials(role_arn, "glue.amazonaws.com", "AWS-Crawler", crawler.arn)
                run = Crawl(self._server, crawler, credentials, self._footers)
                result = run.result
                run.run()
            except (AccessDeniedError, CrawlError) as failure:
                error = str(failure)
            crawl.status = "FAILED" if error else "COMPLETED"
        # moto's times are naive, in UTC.
        end = crawl.end_time = self._clock.now.replace(tzinfo=None)
        hours = (end - crawl.start_time).total_seconds() / 3600
        crawl.dpu_hour = round(_DPUS * hours, 3)  # type: ignore[assignment] # moto's is a constant
        self._errors[crawl.crawl_id] = error
        if credentials is not None:
            self._log(crawl, credentials, [*result.log, error])
        counts = (
            f"{result.tables_created} tables created, {result.tables_updated} updated; "
            f"{result.partitions_created} partitions created, {result.partitions_updated} updated"
        )
        seconds = time.monotonic() - begin
        self._steps.record("crawl", crawler.name, error or counts, ok=not error, seconds=seconds)
        self._emit(crawler, _end_detail(crawl, end, result, error))

    def _role_arn(self, role: str) -> str:
        """Return the ARN of a crawler's role, which may be given by name, with or without a path."""
        if role.startswith("arn:"):
            return role
        name = role.rpartition("/")[2]
        known = {iam_role.name: iam_role.arn for iam_role in self._server.backend("iam").roles.values()}
        return str(known.get(name, f"arn:aws:iam::{self._server.account_id}:role/{role}"))

    def _log(self, crawl: FakeCrawl, credentials: AwsCredentials, lines: list[str]) -> None:
        entries = [f"[{crawl.crawl_id}] {line}" for line in ["Start crawl", *lines, "Crawl ended"] if line]
        self._logs.write(credentials.access_key_id, _LOG_GROUP, crawl.log_stream, entries, self._clock.now)

    def _emit(self, crawler: FakeCrawler, detail: dict[str, str]) -> None:
        common = {
            "accountId": self._server.account_id,
            "crawlerName": crawler.name,
            "cloudWatchLogLink": f"https://console.aws.amazon.com/cloudwatch/home?region={self._server.region}"
            f"#logEventViewer:group={_LOG_GROUP};stream={crawler.name}",
        }
        self._rules.emit("aws.glue", "Glue Crawler State Change", {**common, **detail})


def _last_crawl(crawl: FakeCrawl, error: str) -> dict[str, Any]:
    """Return `LastCrawl` of GetCrawler, which has its own names for the states."""
    shown = {
        "LogGroup": crawl.log_group,
        "LogStream": crawl.log_stream,
        "MessagePrefix": crawl.message_prefix,
        "StartTime": crawl.start_time,
        "Status": {"COMPLETED": "SUCCEEDED", "STOPPED": "CANCELLED"}.get(str(crawl.status), crawl.status),
    }
    if error:
        shown["ErrorMessage"] = error
    return shown


def _end_detail(crawl: FakeCrawl, end: datetime, result: CrawlResult, error: str) -> dict[str, str]:
    """Return the detail of the event at the end of a crawl."""
    if crawl.status == "STOPPED":
        return {"state": "Stopped", "message": "Crawl stopped", "completionDate": _timestamp(end)}
    if error:
        return {"state": "Failed", "message": error, "errorMessage": error}
    return {
        "state": "Succeeded",
        "message": "Crawl Succeeded",
        "warningMessage": "; ".join(result.log) or "N/A",
        "completionDate": _timestamp(end),
        "runningTime (sec)": str(int((end - crawl.start_time).total_seconds())),
        "tablesCreated": str(result.tables_created),
        "tablesUpdated": str(result.tables_updated),
        "tablesDeleted": "0",
        "partitionsCreated": str(result.partitions_created),
        "partitionsUpdated": str(result.partitions_updated),
        "partitionsDeleted": "0",
    }


def _timestamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
