"""Operations on crawlers that moto does not implement, and the checks of a crawler's settings.

Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-crawling.html,
https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-scheduler.html
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Mapping
from datetime import UTC
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.glue.exceptions import CrawlerRunningException, GlueClientError, InvalidInputException
from moto.glue.models import FakeCrawler
from moto.glue.responses import GlueResponse

from embedded_aws.services.scheduler.expressions import ScheduleExpressionError, parse

_SETTINGS = {
    "Role": "role",
    "DatabaseName": "database_name",
    "Description": "description",
    "Targets": "targets",
    "Schedule": "schedule",
    "Classifiers": "classifiers",
    "TablePrefix": "table_prefix",
    "SchemaChangePolicy": "schema_change_policy",
    "RecrawlPolicy": "recrawl_policy",
    "LineageConfiguration": "lineage_configuration",
    "Configuration": "configuration",
    "CrawlerSecurityConfiguration": "crawler_security_configuration",
}
"""Parameter of CreateCrawler and UpdateCrawler → attribute of moto's crawler."""

_CHOICES = {
    ("SchemaChangePolicy", "UpdateBehavior"): ("LOG", "UPDATE_IN_DATABASE"),
    ("SchemaChangePolicy", "DeleteBehavior"): ("LOG", "DELETE_FROM_DATABASE", "DEPRECATE_IN_DATABASE"),
    ("RecrawlPolicy", "RecrawlBehavior"): ("CRAWL_EVERYTHING", "CRAWL_NEW_FOLDERS_ONLY", "CRAWL_EVENT_MODE"),
    ("LineageConfiguration", "CrawlerLineageSettings"): ("ENABLE", "DISABLE"),
}

_SCHEDULE = re.compile(r"cron\(.*\)")
_NAME = re.compile(r"[^\x00-\x08\x0a-\x1f]{1,255}")
_LONGEST = {"Description": 2048, "TablePrefix": 128, "CrawlerSecurityConfiguration": 128}

SCHEDULED = "SCHEDULED"
_NOT_SCHEDULED = "NOT_SCHEDULED"


class ScheduleStateError(GlueClientError):
    """A schedule is already, or not, in the state that a request wants."""


def schedule_state(crawler: FakeCrawler) -> str:
    """Return the state of a crawler's schedule, as the API names it."""
    state: str = getattr(crawler, "schedule_state", SCHEDULED)
    return state


def _create_crawler(response: GlueResponse) -> Any:
    given = response.parameters
    if not _NAME.fullmatch(given.get("Name") or ""):
        raise InvalidInputException("CreateCrawler", "A crawler's name has 1 to 255 characters on one line.")
    if not given.get("Role") or given.get("Targets") is None:
        raise InvalidInputException("CreateCrawler", "A crawler needs a Role and Targets.")
    _check("CreateCrawler", given)
    return _MOTOS_CREATE(response)


def _update_crawler(response: GlueResponse) -> Any:
    """Replace the settings that are given; the others stay."""
    given = response.parameters
    crawler = _ready(response, given["Name"])
    _check("UpdateCrawler", given)
    for parameter, attribute in _SETTINGS.items():
        if given.get(parameter) is not None:
            setattr(crawler, attribute, given[parameter])
    if given.get("Schedule") is not None:
        _set_schedule(crawler, given["Schedule"])
    _changed(crawler)
    return EmptyResult()


def _update_crawler_schedule(response: GlueResponse) -> Any:
    given = response.parameters
    crawler = response.glue_backend.get_crawler(given["CrawlerName"])
    _check("UpdateCrawlerSchedule", given)
    _set_schedule(crawler, given.get("Schedule") or "")
    _changed(crawler)
    return EmptyResult()


def _start_crawler_schedule(response: GlueResponse) -> Any:
    crawler = response.glue_backend.get_crawler(response.parameters["CrawlerName"])
    if not crawler.schedule:
        raise ScheduleStateError("NoScheduleException", f"Crawler {crawler.name} has no schedule.")
    if schedule_state(crawler) == SCHEDULED:
        raise ScheduleStateError("SchedulerRunningException", f"The schedule of crawler {crawler.name} is running.")
    _set_schedule(crawler, crawler.schedule)
    return EmptyResult()


def _stop_crawler_schedule(response: GlueResponse) -> Any:
    crawler: Any = response.glue_backend.get_crawler(response.parameters["CrawlerName"])
    if not crawler.schedule or schedule_state(crawler) != SCHEDULED:
        raise ScheduleStateError(
            "SchedulerNotRunningException", f"The schedule of crawler {crawler.name} is not running."
        )
    crawler.schedule_state = _NOT_SCHEDULED
    return EmptyResult()


def _get_crawler_metrics(response: GlueResponse) -> Any:
    wanted = response.parameters.get("CrawlerNameList")
    crawlers = [each for each in response.glue_backend.get_crawlers() if not wanted or each.name in wanted]
    return ActionResult({"CrawlerMetricsList": [_metrics(crawler) for crawler in crawlers]})


def _metrics(crawler: FakeCrawler) -> dict[str, Any]:
    seconds = [(crawl.end_time - crawl.start_time).total_seconds() for crawl in crawler.crawls if crawl.end_time]
    return {
        "CrawlerName": crawler.name,
        "TimeLeftSeconds": 0.0,
        "StillEstimating": False,
        "LastRuntimeSeconds": seconds[-1] if seconds else 0.0,
        "MedianRuntimeSeconds": statistics.median(seconds) if seconds else 0.0,
    }


def _ready(response: GlueResponse, name: str) -> FakeCrawler:
    crawler: FakeCrawler = response.glue_backend.get_crawler(name)
    if crawler.status != "READY":
        raise CrawlerRunningException(f"Crawler with name {name} is {crawler.status}: update it once it has ended.")
    return crawler


def _set_schedule(crawler: Any, schedule: str) -> None:
    """Set a schedule, which counts from now; an empty one removes it."""
    crawler.schedule = schedule
    crawler.schedule_state = SCHEDULED
    crawler.schedule_since = utcnow()


def _changed(crawler: FakeCrawler) -> None:
    crawler.version += 1
    crawler.last_updated = utcnow()


def _check(operation: str, given: Mapping[str, Any]) -> None:
    """Check settings as far as they are given.

    Raises:
        InvalidInputException: a setting is not allowed.
    """
    if problem := next((found for found in _problems(given) if found), None):
        raise InvalidInputException(operation, problem)


def _problems(given: Mapping[str, Any]) -> list[str]:
    problems = [
        _schedule_problem(given.get("Schedule") or ""),
        _targets_problem(given.get("Targets")),
        _configuration_problem(given.get("Configuration") or ""),
    ]
    problems += [
        f"{name} has at most {longest} characters."
        for name, longest in _LONGEST.items()
        if len(given.get(name) or "") > longest
    ]
    if given.get("Role") == "":
        problems.append("A crawler needs a Role.")
    for (setting, member), allowed in _CHOICES.items():
        value = (given.get(setting) or {}).get(member)
        if value is not None and value not in allowed:
            problems.append(f"{setting}.{member} is {value!r}: use {', '.join(allowed)}.")
    if given.get("Classifiers"):
        problems.append(f"Classifier {given['Classifiers'][0]} does not exist: the embedded AWS has no classifiers.")
    if (given.get("LakeFormationConfiguration") or {}).get("UseLakeFormationCredentials"):
        problems.append("The embedded AWS has no Lake Formation: crawl with the credentials of the role.")
    return problems


def _schedule_problem(schedule: str) -> str:
    if not schedule:
        return ""
    if not _SCHEDULE.fullmatch(schedule):
        return (
            f"The schedule {schedule!r} is not a cron expression: write cron(minutes hours days months weekdays years)."
        )
    try:
        parse(schedule, start=utcnow().replace(tzinfo=UTC))
    except ScheduleExpressionError as error:
        return str(error)
    return ""


def _targets_problem(targets: Any) -> str:
    if targets is None:
        return ""
    if not any(targets.values()):
        return "A crawler needs at least one target."
    if not all(target.get("Path") for target in targets.get("S3Targets") or []):
        return "Each of S3Targets needs a Path."
    return ""


def _configuration_problem(configuration: str) -> str:
    if not configuration:
        return ""
    try:
        content = json.loads(configuration)
    except ValueError as error:
        return f"Configuration is not JSON: {error}."
    if not isinstance(content, dict) or content.get("Version") != 1.0:
        return 'Configuration must be a JSON object with "Version": 1.0.'
    return ""


_MOTOS_CREATE = GlueResponse.create_crawler

REPLACEMENTS: dict[tuple[type, str], Any] = {
    (GlueResponse, "create_crawler"): _create_crawler,
    (GlueResponse, "update_crawler"): _update_crawler,
    (GlueResponse, "update_crawler_schedule"): _update_crawler_schedule,
    (GlueResponse, "start_crawler_schedule"): _start_crawler_schedule,
    (GlueResponse, "stop_crawler_schedule"): _stop_crawler_schedule,
    (GlueResponse, "get_crawler_metrics"): _get_crawler_metrics,
}
"""Class of moto and name of its method → what replaces it."""
