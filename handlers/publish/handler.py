"""Entry point of the publish Lambda: after each crawl, brings the catalog up to date, then the views."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers.publish.athena import Athena
from handlers.publish.catalog import CatalogChanges, GlueDatabase
from handlers.publish.views import load, publish
from handlers.tables import TABLES

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_glue import GlueClient

LOG = Logger()


class PublishError(Exception):
    """Something could not be published; everything else was."""


@LOG.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Bring the tables and views of the Glue database up to date with the deployed code.

    Args:
        _event: EventBridge's "Glue Crawler State Change", or `{}` in a manual invocation; it is not used.
        _context: Lambda's context.

    Returns:
        `{"tables_created": [name], "columns_added": {table: [name]}, "views_created": [name], "views_unchanged": int}`.

    Raises:
        PublishError: a view failed or a column has a different type; the message lists each with the reason.
        ViewError: no view can be published.
    """
    database = os.environ["GLUE_DATABASE"]
    catalog = GlueDatabase(_glue(), database)
    changes = catalog.reconcile(TABLES.values(), os.environ["TRANSFORMED_BUCKET"])
    published = publish(
        load(os.environ["TIMEZONE"]), catalog, Athena(_athena(), os.environ["ATHENA_WORKGROUP"], database)
    )
    _measure(changes)
    summary = {
        "tables_created": changes.created,
        "columns_added": changes.added,
        "views_created": published.created,
        "views_unchanged": len(published.unchanged),
    }
    for conflict in changes.conflicts:
        LOG.error("The catalog conflicts with the files.", extra={"conflict": conflict})
    for view, reason in published.failed.items():
        LOG.error("A view could not be published.", extra={"view": view, "reason": reason})
    LOG.info("Published.", extra={"summary": summary})
    if problems := [*changes.conflicts, *(f"view {view}: {reason}" for view, reason in published.failed.items())]:
        raise PublishError(f"{len(problems)} not published: {'; '.join(problems)}")
    return summary


# Created by the first invocation and reused while the function is warm.
@cache
def _glue() -> GlueClient:
    return boto3.client("glue")


@cache
def _athena() -> AthenaClient:
    return boto3.client("athena")


def _measure(changes: CatalogChanges) -> None:
    """Report what the alarms need; a metric costs money for every hour in which it has a value."""
    if changes.conflicts:
        metrics = Metrics()
        metrics.add_metric("CatalogConflicts", MetricUnit.Count, len(changes.conflicts))
        metrics.flush_metrics()
