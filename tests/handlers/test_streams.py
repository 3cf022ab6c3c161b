"""What the registry of streams guarantees: a record's identity follows from where its URI is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from handlers.extract.reads.record_keys import record_key
from handlers.streams import READABLE_STREAMS, Stream

FIXTURES = Path(__file__).parent / "transform/fixtures"


def test_a_readable_stream_says_where_the_uri_is() -> None:
    with pytest.raises(ValueError, match=r"^new: item_keys is empty"):
        Stream(name="new", doc="New.", mode="snapshot", key=("id",), item_keys=())
    with pytest.raises(TypeError, match="item_keys"):
        Stream(name="new", doc="New.", mode="snapshot", key=("id",))  # type: ignore[call-arg]


@pytest.mark.parametrize("stream", READABLE_STREAMS.values(), ids=lambda stream: stream.name)
def test_identity_is_the_uri_at_the_keys_of_the_stream(stream: Stream) -> None:
    found = 0
    for fixture in FIXTURES.glob(f"{stream.name}.*.json"):
        for record in [] if fixture.stem.endswith("expected") else json.loads(fixture.read_text("utf-8")):
            items = [record.get(key) if key else record for key in stream.item_keys]
            uri = next((item["uri"] for item in items if isinstance(item, dict) and item.get("uri")), None)
            if uri:
                assert record_key(record).endswith(uri)
                found += 1
    assert found
