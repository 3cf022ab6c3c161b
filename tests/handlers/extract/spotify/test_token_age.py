"""The age of the consent is measured, and reported in time."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools import Metrics

from handlers.extract.spotify.token_age import measure
from handlers.login_lifetime import LIFETIME_DAYS, WARN_FROM_DAYS
from handlers.login_secret import Credentials

AUTHORIZED = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(name="metrics")
def fixture_metrics() -> Metrics:
    metrics = Metrics(service="extract", namespace="SpotifyEtl/test")
    metrics.clear_metrics()
    return metrics


def measured(
    metrics: Metrics, caplog: pytest.LogCaptureFixture, authorized_at: datetime | None, age: timedelta
) -> tuple[Any, list[tuple[str, Any]]]:
    logger = logging.getLogger("token-age")
    with caplog.at_level(logging.INFO, logger="token-age"):
        measure(
            Credentials(client_id="c", client_secret="s", refresh_token="r", authorized_at=authorized_at),
            AUTHORIZED + age,
            metrics,
            logger,
        )
    said = [(record.getMessage(), getattr(record, "days_left", None)) for record in caplog.records]
    found = metrics.metric_set.get("TokenAgeDays")
    metrics.clear_metrics()
    return found and (found["Unit"], found["Value"]), said


@pytest.mark.parametrize(
    ("age", "days"), [(timedelta(0), 0.0), (timedelta(hours=36), 1.5), (timedelta(149.99), 149.99)]
)
def test_young_login_is_counted(
    metrics: Metrics, caplog: pytest.LogCaptureFixture, age: timedelta, days: float
) -> None:
    assert measured(metrics, caplog, AUTHORIZED, age) == (("Count", [days]), [])


@pytest.mark.parametrize(("age", "left"), [(150, 33), (182.5, 0), (183, 0), (400, 0)])
def test_old_login_is_warned_of_each_time(
    metrics: Metrics, caplog: pytest.LogCaptureFixture, age: float, left: int
) -> None:
    sentence = "The login expires soon: run `spotify-etl login` again."
    found, said = measured(metrics, caplog, AUTHORIZED, timedelta(age))
    assert (found, said) == (("Count", [float(age)]), [(sentence, left)])
    assert measured(metrics, caplog, AUTHORIZED, timedelta(age))[1] == [(sentence, left)] * 2


def test_clock_of_a_laptop_may_be_ahead(metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    assert measured(metrics, caplog, AUTHORIZED, -timedelta(minutes=5)) == (("Count", [0.0]), [])


def test_login_of_the_future_is_not_counted(metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    found, said = measured(metrics, caplog, AUTHORIZED, -timedelta(days=2))
    assert found is None
    assert len(said) == 1
    assert "is in the future" in said[0][0]


def test_unknown_age_says_nothing(metrics: Metrics, caplog: pytest.LogCaptureFixture) -> None:
    assert measured(metrics, caplog, None, timedelta()) == (None, [])


def test_warning_leaves_a_month() -> None:
    assert LIFETIME_DAYS - WARN_FROM_DAYS >= 30
