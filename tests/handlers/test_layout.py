"""The run in a key."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handlers import layout

RUN = "20261102T050000Z-daily"


@pytest.mark.parametrize(
    "key",
    [
        str(layout.RawKey("playlist_items", RUN, 3, "4Z8W4fKeB5Yxbus")),
        str(layout.ManifestKey(RUN, 1)),
        layout.outputs_key(str(layout.ManifestKey(RUN, 1))),
        layout.table_key("plays", "month", "2016-01", "streaming_history", f"{RUN}-00000"),
    ],
)
def test_every_key_of_a_run_names_it(key: str) -> None:
    assert layout.run_in(key) == RUN


@pytest.mark.parametrize(
    "key",
    [
        "raw/odd.jsonl.gz",
        "state/0123456789abcdef/profile.json",
        layout.outputs_key("foreign/0123"),
        "raw/profile/dt=2026-11-02/20261399T050000Z-daily-00000.jsonl.gz",
        f"raw/{RUN}/odd.jsonl.gz",
    ],
)
def test_other_keys_name_none(key: str) -> None:
    assert layout.run_in(key) is None


def test_moment_survives_being_written() -> None:
    moment = datetime(2026, 11, 23, 6, 0, 0, 123_000, tzinfo=UTC)
    assert layout.written(moment) == "2026-11-23T06:00:00.123Z"
    assert layout.parse_time(layout.written(moment)) == moment


@pytest.mark.parametrize(
    "text",
    [None, 7, "", "soon", "2026-11-23T06:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-01:00"],
)
def test_what_is_no_moment_in_utc_is_none(text: object) -> None:
    assert layout.parse_time(text) is None
