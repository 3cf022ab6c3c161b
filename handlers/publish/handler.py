"""Entry point of the publish Lambda: after each crawl the catalog gets what it lacks, then the views."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from handlers.publish.athena import Athena
from handlers.publish.catalog import Catalog, Mended
from handlers.publish.views import Published, load, publish
from handlers.tables import TABLES

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_glue import GlueClient

logger = Logger()


class PublishError(Exception):
    """Something could not be published; all else has been."""


@logger.inject_lambda_context(clear_state=True)
def handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Bring the Glue database up to what the deployed code writes and the deployed views say.

    Args:
        _event: EventBridge's "Glue Crawler State Change", or `{}` by hand; nothing in it is needed.
        _context: Lambda's.

    Returns:
        `{"tables_created": [name], "columns_added": {table: [name]}, "views_created": [name], "views_unchanged": int}`.

    Raises:
        PublishError: names each view that failed and each column of another type, with the reason.
        ViewError: the views cannot be published at all.
    """
    database = os.environ["GLUE_DATABASE"]
    catalog = Catalog(_glue(), database)
    mended = catalog.mend(TABLES.values(), os.environ["TRANSFORMED_BUCKET"])
    published = publish(
        load(os.environ["TIMEZONE"]), catalog, Athena(_athena(), os.environ["ATHENA_WORKGROUP"], database)
    )
    _measure(mended, published)
    summary = {
        "tables_created": mended.created,
        "columns_added": mended.added,
        "views_created": published.created,
        "views_unchanged": len(published.unchanged),
    }
    for conflict in mended.conflicts:
        logger.error("The catalog disagrees with the files.", extra={"conflict": conflict})
    for view, reason in published.failed.items():
        logger.error("A view could not be published.", extra={"view": view, "reason": reason})
    logger.info("Published.", extra={"summary": summary})
    if wrong := [*mended.conflicts, *(f"view {view}: {reason}" for view, reason in published.failed.items())]:
        raise PublishError(f"{len(wrong)} not published: {'; '.join(wrong)}")
    return summary


# Made with the first invocation and kept while the function is warm.
@cache
def _glue() -> GlueClient:
    return boto3.client("glue")


@cache
def _athena() -> AthenaClient:
    return boto3.client("athena")


def _measure(mended: Mended, published: Published) -> None:
    metrics = Metrics()
    metrics.add_metric("CreatedTables", MetricUnit.Count, len(mended.created))
    metrics.add_metric("TypeConflicts", MetricUnit.Count, len(mended.conflicts))
    metrics.add_metric("CreatedViews", MetricUnit.Count, len(published.created))
    metrics.add_metric("FailedViews", MetricUnit.Count, len(published.failed))
    metrics.flush_metrics()
