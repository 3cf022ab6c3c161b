"""Entry point of the publish Lambda: brings the catalog up to date, then the views.

It runs after each crawl, by schedule in case the event of the crawl was lost, and in each deployment that may have
changed tables or views. A run that finds everything up to date makes one request a table. It may run during a crawl.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import ClientError

from handlers.publish.athena import Athena
from handlers.publish.catalog import CatalogChanges, GlueDatabase
from handlers.publish.views import Published, load, publish
from handlers.tables import TABLES

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_glue import GlueClient

LOG = Logger()

_DEPLOYMENT_WAITS = (5, 10, 20, 40)
"""Seconds between the tries of a deployment: permissions that it has just granted take effect after some seconds.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency.
"""
_REFUSED = re.compile(r"access ?denied|not authorized|insufficient permissions", re.IGNORECASE)


class PublishError(Exception):
    """Something could not be published; everything else was."""


@dataclass
class _Outcome:
    """What was done, by all tries together, and what the last one could not do."""

    changes: CatalogChanges = field(default_factory=CatalogChanges)
    conflicts: list[str] = field(default_factory=list)
    """A sentence for each table that is not as it should be."""
    unregistered: list[str] = field(default_factory=list)
    """A sentence for each partition that Glue has not accepted."""
    views: Published = field(default_factory=Published)

    @property
    def summary(self) -> dict[str, Any]:
        """What the handler returns."""
        return {
            "tables_created": self.changes.created,
            "columns_added": self.changes.added,
            "partition_keys_renamed": self.changes.rekeyed,
            "partitions_registered": self.changes.registered,
            "views_created": self.views.created,
            "views_unchanged": len(self.views.unchanged),
        }

    @property
    def problems(self) -> list[str]:
        """A sentence for each table, partition and view that is not as it should be."""
        return [
            *self.conflicts,
            *self.unregistered,
            *(f"view {view}: {reason}" for view, reason in self.views.failed.items()),
        ]

    @property
    def changed_nothing(self) -> bool:
        """Whether everything was up to date."""
        changes = self.changes
        return not (changes.created or changes.added or changes.rekeyed or changes.registered or self.views.created)


@LOG.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Bring the tables and views of the Glue database up to date with the deployed code.

    Args:
        event: EventBridge's "Glue Crawler State Change", `{"trigger": "schedule"}`, `{"trigger": "deployment"}`, or
            `{}` in a manual invocation; a deployment waits for its own permissions to take effect.
        _context: Lambda's context.

    Returns:
        `{"tables_created": [name], "columns_added": {table: [name]}, "partition_keys_renamed": {table: name},
        "partitions_registered": {table: [value]}, "views_created": [name], "views_unchanged": int}`.

    Raises:
        PublishError: a view failed or a column has a different type; the message lists each with the reason.
        ViewError: no view can be published.
    """
    outcome = _Outcome()
    if event.get("trigger") == "deployment":
        _publish_patiently(outcome)
    else:
        _publish(outcome)
    _measure(outcome.conflicts)
    for conflict in outcome.conflicts:
        LOG.error("The catalog conflicts with the files.", extra={"conflict": conflict})
    for reason in outcome.unregistered:
        LOG.error("A partition could not be registered.", extra={"reason": reason})
    for view, reason in outcome.views.failed.items():
        LOG.error("A view could not be published.", extra={"view": view, "reason": reason})
    if outcome.problems:
        LOG.info("Published in part.", extra={"summary": outcome.summary})
        raise PublishError(f"{len(outcome.problems)} not published: {'; '.join(outcome.problems)}")
    message = "Nothing to publish: everything is up to date." if outcome.changed_nothing else "Published."
    LOG.info(message, extra={"summary": outcome.summary})
    return outcome.summary


def _publish(outcome: _Outcome) -> None:
    """Publish once, and add what was done to the outcome."""
    database = os.environ["GLUE_DATABASE"]
    catalog = GlueDatabase(_glue(), database)
    outcome.conflicts = catalog.reconcile(TABLES.values(), os.environ["TRANSFORMED_BUCKET"], outcome.changes)
    outcome.unregistered = catalog.unregistered
    athena = Athena(_athena(), os.environ["ATHENA_WORKGROUP"], database)
    earlier = outcome.views.created
    outcome.views = publish(load(os.environ["TIMEZONE"]), catalog, athena)
    outcome.views.created = list(dict.fromkeys([*earlier, *outcome.views.created]))
    outcome.views.unchanged = [view for view in outcome.views.unchanged if view not in earlier]


def _publish_patiently(outcome: _Outcome) -> None:
    """Publish, again after a while if AWS refuses something."""
    for wait in _DEPLOYMENT_WAITS:
        try:
            _publish(outcome)
            refused = "; ".join(problem for problem in outcome.problems if _REFUSED.search(problem))
        except ClientError as error:
            refused = str(error)
            if not _REFUSED.search(refused):
                raise
        if not refused:
            return
        LOG.info("A permission is not in effect yet.", extra={"reason": refused, "next_try_in_seconds": wait})
        time.sleep(wait)
    _publish(outcome)


# Created by the first invocation and reused while the function is warm.
@cache
def _glue() -> GlueClient:
    return boto3.client("glue")


@cache
def _athena() -> AthenaClient:
    return boto3.client("athena")


def _measure(conflicts: Sequence[str]) -> None:
    """Report what the alarms need; a metric costs money for every hour in which it has a value."""
    if conflicts:
        metrics = Metrics()
        metrics.add_metric("CatalogConflicts", MetricUnit.Count, len(conflicts))
        metrics.flush_metrics()
