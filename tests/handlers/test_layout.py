"""The run in a key."""

from __future__ import annotations

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
