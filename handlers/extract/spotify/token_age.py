"""The age of the consent, reported while there is time to renew it."""

from __future__ import annotations

from datetime import datetime, timedelta
from logging import Logger as StandardLogger

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from handlers.login_lifetime import LIFETIME_DAYS, WARN_FROM_DAYS
from handlers.login_secret import Credentials

METRIC = "TokenAgeDays"
_DAY = timedelta(days=1)
_CLOCKS_DIFFER = timedelta(hours=1)


def measure(credentials: Credentials, now: datetime, metrics: Metrics | None, logger: Logger | StandardLogger) -> None:
    """Report the days since the consent and warn before it expires; do nothing if the secret has no time.

    Args:
        credentials: the current login.
        now: the current time.
        metrics: receives `TokenAgeDays`, in days with a fraction; None to warn only.
        logger: receives the warnings.
    """
    if credentials.authorized_at is None:
        return
    age = now - credentials.authorized_at
    if age < -_CLOCKS_DIFFER:
        logger.warning(
            "The secret's authorized_at is in the future, so there will be no warning before the login expires: "
            "run `spotify-etl login` again."
        )
        return
    days = max(age / _DAY, 0.0)
    if metrics is not None:
        metrics.add_metric(METRIC, MetricUnit.Count, round(days, 2))
    if days < WARN_FROM_DAYS:
        return
    left = max(int(LIFETIME_DAYS - days), 0)
    logger.warning("The login expires soon: run `spotify-etl login` again.", extra={"days_left": left})
