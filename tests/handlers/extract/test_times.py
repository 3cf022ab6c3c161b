from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handlers import layout
from handlers.extract import times


def test_moment_survives_being_written() -> None:
    moment = datetime(2026, 11, 23, 6, 0, 0, 123_000, tzinfo=UTC)
    assert layout.written(moment) == "2026-11-23T06:00:00.123Z"
    assert times.parse(layout.written(moment)) == moment


@pytest.mark.parametrize(
    "text",
    [None, 7, "", "soon", "2026-11-23T06:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"],
)
def test_what_is_no_moment_in_utc_is_none(text: object) -> None:
    assert times.parse(text) is None
