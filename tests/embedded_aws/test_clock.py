"""The simulated clock: the whole process sees it, it runs, and it never goes back."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from embedded_aws.clock import SimulatedClock
from tests.embedded_aws.stage import START


def test_the_process_travels_between_start_and_stop_only() -> None:
    real = datetime.now(UTC)
    clock = SimulatedClock(START)
    assert clock.now == START
    clock.start()
    try:
        assert abs(datetime.now(UTC) - START) < timedelta(minutes=1)
        assert abs(time.time() - START.timestamp()) < 60
        first = clock.now
        assert clock.now > first, "it runs"
    finally:
        clock.stop()
    assert abs(datetime.now(UTC) - real) < timedelta(minutes=1)
    assert clock.now >= first


def test_it_moves_forward_and_never_back() -> None:
    clock = SimulatedClock(START)
    clock.start()
    try:
        later = START + timedelta(days=3)
        clock.move_to(later)
        assert later <= clock.now < later + timedelta(minutes=1)
        clock.move_to(START)
        assert clock.now >= later
    finally:
        clock.stop()


def test_a_start_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        SimulatedClock(datetime(2026, 11, 23))  # noqa: DTZ001 - that is the point
