"""Complete reads in the state."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.extract.reads.state import CompleteRead, is_superseded
from tests.thoroughness import examples

READS = st.builds(
    CompleteRead,
    read_id=st.text(),
    mode=st.sampled_from(["full", "incremental"]),
    keys=st.lists(st.text()).map(tuple),
    records=st.integers(0),
    started_at=st.just(datetime(2026, 11, 22, 6, tzinfo=UTC)),
    extracted_at=st.just(datetime(2026, 11, 23, 6, tzinfo=UTC)),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(
        st.sampled_from(["read_id", "mode", "keys", "records", "begun_at", "extracted_at"]), inner
    ),
)  # fmt: skip


@settings(max_examples=examples(100, 25))
@given(READS)
def test_read_survives_its_state(read: CompleteRead) -> None:
    assert CompleteRead.parse(json.loads(json.dumps(read.content()))) == read


@settings(max_examples=examples(100, 25))
@given(JSON)
def test_whatever_state_holds_is_a_read_or_none(content: object) -> None:
    read = CompleteRead.parse(content)
    assert read is None or read.content() == content


def test_older_read_does_not_displace_a_newer_one() -> None:
    def at(hour: int) -> CompleteRead:
        return CompleteRead(
            read_id="r",
            mode="full",
            keys=(),
            records=0,
            started_at=datetime(2026, 11, 23, 5, tzinfo=UTC),
            extracted_at=datetime(2026, 11, 23, hour, tzinfo=UTC),
        )

    assert is_superseded(at(7).content(), at(6))
    assert not is_superseded(at(6).content(), at(7))
    assert not is_superseded("nonsense", at(7))
