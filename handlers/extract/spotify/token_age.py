"""How old the consent is, while there is time to renew it."""

from __future__ import annotations

from datetime import datetime, timedelta
from logging import Logger as StandardLogger

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from handlers.extract.spotify.credentials import Credentials

METRIC = "TokenAgeDays"
LIFETIME_DAYS = 183
"""Refresh tokens end six months after the consent, and refreshing does not prolong that:
https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration."""
WARN_FROM_DAYS = 150
"""A month is time enough to log in again, whatever reads the logs."""

_DAY = timedelta(days=1)
_CLOCKS_DIFFER = timedelta(hours=1)


def measure(credentials: Credentials, now: datetime, metrics: Metrics, logger: Logger | StandardLogger) -> None:
    """Count the days since the consent, and warn when they are many; nothing where the secret names no time.

    Args:
        credentials: the present login.
        now: the present moment.
        metrics: gets `TokenAgeDays`, a number of days with their fraction.
        logger: gets the warnings.
    """
    if credentials.authorized_at is None:
        return
    age = now - credentials.authorized_at
    if age < -_CLOCKS_DIFFER:
        logger.warning(
            "The secret's authorized_at lies in the future, so nothing will warn before the login expires: "
            "run `spotify-etl login` again."
        )
        return
    days = max(age / _DAY, 0.0)
    metrics.add_metric(METRIC, MetricUnit.Count, round(days, 2))
    if days < WARN_FROM_DAYS:
        return
    left = max(int(LIFETIME_DAYS - days), 0)
    logger.warning("The login expires soon: run `spotify-etl login` again.", extra={"days_left": left})
