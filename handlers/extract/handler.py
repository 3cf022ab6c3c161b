"""Entry point of the extract Lambda: reads Spotify into the raw bucket."""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from handlers import layout
from handlers.extract import times
from handlers.extract.configuration import Configuration
from handlers.extract.continuation import invoke_continuation
from handlers.extract.event import Event
from handlers.extract.logs import LOG, silence_libraries
from handlers.extract.manifest import Manifest
from handlers.extract.reads.shortfall import SHORT
from handlers.extract.run import NOT_LOGGED_IN, run
from handlers.extract.spotify import token_age
from handlers.extract.spotify.credentials import Secret
from handlers.raw.bucket import RawBucket

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

METRICS = Metrics()


class RunFailedError(Exception):
    """The run got nothing because of a transient failure, so Lambda is to retry it."""


@LOG.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Read the streams that an event covers.

    Args:
        event: `{"trigger": "daily" | "hourly" | "manual", "scheduled_time", "streams", "full", "continuation"}`, all
            but the first optional.
        context: Lambda's context.

    Returns:
        `{"run_id", "attempt", "manifest", "status", "reason", "requests", "records", "objects", "units"}`, with the
        manifest's key and the number of units by status.

    Raises:
        EventError: the event is invalid.
        ConfigurationError: the environment is invalid.
        RunFailedError: Spotify was unavailable; Lambda's retries are further attempts of the run.
    """
    silence_libraries()
    configuration = Configuration.from_environment(os.environ)
    parsed = Event.parse(event, configuration.streams)
    LOG.append_keys(run_id=parsed.run_id)
    manifest, key = run(
        parsed,
        configuration,
        Secret(_secrets(), configuration.secret_arn),
        RawBucket(_s3(), configuration.raw_bucket),
        lambda: context.get_remaining_time_in_millis() / 1000,
        lambda credentials: token_age.measure(
            credentials, times.now(), None if parsed.trigger == "hourly" else METRICS, LOG
        ),
    )
    summary = _summary(manifest, key)
    _measure(parsed, manifest)
    _log(manifest, summary)
    if manifest.is_continued:
        # After the manifest, which the next invocation reads. If the invoke fails, Lambda retries this invocation.
        invoke_continuation(_lambda(), context.invoked_function_arn, parsed)
        LOG.info("The invocation ran out of time: another one continues.", extra={"continuation": parsed.number + 1})
    if manifest.is_retryable:
        raise RunFailedError(f"The run {parsed.run_id} got nothing: {manifest.reason}")
    return summary


# Created by the first invocation and reused while the function is warm.
@cache
def _s3() -> S3Client:
    return boto3.client("s3")


@cache
def _lambda() -> LambdaClient:
    return boto3.client("lambda")


@cache
def _secrets() -> SecretsManagerClient:
    return boto3.client("secretsmanager")


def _summary(manifest: Manifest, key: layout.ManifestKey) -> dict[str, Any]:
    return {
        "run_id": key.run_id,
        "attempt": key.attempt,
        "manifest": str(key),
        "status": manifest.status,
        "reason": manifest.reason,
        "requests": sum(unit.requests for unit in manifest.units),
        "records": sum(unit.records for unit in manifest.units),
        "objects": sum(unit.objects for unit in manifest.units),
        "units": dict(Counter(unit.status for unit in manifest.units)),
    }


def _measure(parsed: Event, manifest: Manifest) -> None:
    """Report what the alarms need; a metric costs money for every hour in which it has a value."""
    good = manifest.status == "complete" or manifest.reason == NOT_LOGGED_IN
    counted = {
        "GoodDailyRuns": int(good and parsed.trigger == "daily"),
        "LockedUnits": sum(unit.reason == "locked" for unit in manifest.units),
        "ShortUnits": sum(unit.reason == SHORT for unit in manifest.units),
    }
    for name, value in counted.items():
        if value:
            METRICS.add_metric(name, MetricUnit.Count, value)
    if METRICS.metric_set:
        # Not by Powertools' decorator: it warns about a run that has nothing to report.
        METRICS.flush_metrics()


def _log(manifest: Manifest, summary: dict[str, Any]) -> None:
    for unit in manifest.units:
        if unit.status in {"failed", "partial"}:
            LOG.warning("Unit incomplete.", extra={"stream": unit.stream, "unit": unit.unit, "reason": unit.reason})
    log = LOG.error if manifest.status == "failed" else LOG.info
    log("Run finished.", extra={"summary": summary})
