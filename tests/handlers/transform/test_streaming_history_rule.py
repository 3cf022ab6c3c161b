"""The rule by which an import tells plays from what becomes no row, held against what the transform does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.layout import RawKey
from handlers.streaming_history import FIELDS, MAX_TEXT_CHARACTERS, URI_FIELDS, kept_fields, played_at, row_problem
from handlers.transform.block_tables import block_tables
from handlers.transform.blocks import Block
from handlers.transform.origin import Origin
from tests.handlers.transform.stage import RUN, encode, metadata_of, raw_line
from tests.thoroughness import examples

STREAM = "streaming_history"
TIME = "2024-05-03T12:00:30Z"

NEAR_TIMES = (
    "2024-05-03 12:00:30Z",
    "2024-05-03t12:00:30Z",
    "2024-05-03T12:00:30",
    "2024-05-03T12:00:30z",
    "2024-05-03T12:00Z",
    "2024-5-3T12:00:30Z",
    "2024-05-03T12:00:30+0200",
    "2024-05-03T12:00:30+24:00",
    "2024-05-03T12:00:30.Z",
    "2024-05-03T24:00:00Z",
    "2024-05-03T12:00:60Z",
    "2023-02-29T12:00:30Z",
    "0000-05-03T12:00:30Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "٢٠٢٤-05-03T12:00:30Z",
    "2024-05-03T12:00:30Z\n",
    " 2024-05-03T12:00:30Z",
    "2024-05-03 12:00",
)
"""None of them is a time of an extended export, though each is almost one."""

two_digits = st.integers(0, 99).map("{:02d}".format)
numbers = st.one_of(st.integers(0, 9999), st.sampled_from([0, 1, 1999, 2024, 9999])).map("{:04d}".format)
dates = st.one_of(
    st.builds("{}-{}-{}".format, numbers, two_digits, two_digits),
    st.dates().map(str),
    st.sampled_from(["2023-02-29", "2024-02-29", "0001-01-01", "9999-12-31", "0000-05-05", "٢٠٢٤-05-05"]),
)
clocks = st.one_of(
    st.times().map(lambda time: f"{time:%H:%M:%S}"), st.builds("{}:{}:{}".format, two_digits, two_digits, two_digits)
)
fractions = st.one_of(st.just(""), st.text("0123456789", max_size=12).map(".{}".format))
zones = st.one_of(
    st.sampled_from(["Z", "", "z", "+00:00", "-00:00", "+23:59", "-23:59", "+14:00", "+0100", "+24:00", "+12:60"]),
    st.builds("{}{}:{}".format, st.sampled_from("+-"), two_digits, two_digits),
)
moments = st.builds("{}{}{}{}{}".format, dates, st.sampled_from(["T", "T", "T", "t", " "]), clocks, fractions, zones)
minutes = st.builds("{} {}{}".format, dates, clocks.map(lambda clock: clock[:5]), st.sampled_from(["", "", "", "\n"]))
texts = st.one_of(moments, minutes, st.text(max_size=12), st.sampled_from([TIME, "2024-05-03 12:00", ""]))
values = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["ts", "city"]), st.text(max_size=3), max_size=2),
)
elements = st.dictionaries(
    st.one_of(st.sampled_from(["ts", "ts", "endTime", *URI_FIELDS]), st.sampled_from(sorted(FIELDS)), st.just("city")),
    values,
    max_size=6,
)
plays = st.builds(
    lambda element, key, time: {**element, key: time},
    elements,
    st.sampled_from(["ts", "endTime"]),
    st.one_of(moments, minutes, st.just(TIME)),
)


def rows_of(records: list[dict[str, Any]]) -> dict[int, datetime]:
    """When each line that becomes a row was played, by the line's number."""
    lines = [raw_line(STREAM, record, {}) for record in records]
    data = b"".join(encode(line) + b"\n" for line in lines)
    origin = Origin.of(RawKey(STREAM, RUN, 0), metadata_of(lines))
    made = block_tables(Block(1, data), origin)
    rows = made.tables[-1][1]
    assert len(rows) + len(made.rejections) == len(lines)
    return {row["_line"]: row["played_at"] for row in rows.select(["_line", "played_at"]).to_pylist()}


def in_milliseconds(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(microsecond=moment.microsecond // 1000 * 1000, tzinfo=None)


@pytest.mark.slow
@settings(max_examples=examples(100, 20))
@given(st.lists(st.one_of(elements, plays), min_size=1, max_size=6))
@example([{"ts": 7, "endTime": "2024-05-03 12:00"}, {"ts": "", "endTime": "2024-05-03 12:00"}])
@example([{"ts": TIME, name: 7} for name in URI_FIELDS])
@example([{"ts": TIME, "spotify_track_uri": 7, "spotify_episode_uri": "spotify:episode:1"}])
@example([{"ts": TIME}, {"ts": TIME, "spotify_track_uri": []}])
@example([{"ts": time} for time in NEAR_TIMES])
@example([{"endTime": f"2024-05-03 12:00{end}"} for end in ("", "\n", ":30", "Z")])
def test_an_element_becomes_a_row_where_the_rule_says_so_and_only_there(sent: list[dict[str, Any]]) -> None:
    records = [kept_fields(element) for element in sent]

    expected = {
        number: in_milliseconds(played_at(record))
        for number, record in enumerate(records, start=1)
        if row_problem(record) is None
    }

    assert rows_of(records) == expected
    # A line alone is read by Arrow where it can be, one among bad ones by Python.
    assert bool(rows_of(records[:1])) == (row_problem(records[0]) is None)


@pytest.mark.parametrize(
    ("element", "problem"),
    [
        ({"ts": TIME}, None),
        ({"endTime": "2024-05-03 12:00"}, None),
        ({"ts": "2024-05-03 12:00:30"}, "ts is not a time such as 2024-05-03T12:00:30Z"),
        ({"ts": 1714737630}, "ts is not a time such as 2024-05-03T12:00:30Z"),
        ({"endTime": "03.05.2024 12:00"}, "endTime is not a time such as 2024-05-03 12:00"),
        ({"ts": None, "ms_played": 1}, "neither ts nor endTime"),
        ({}, "neither ts nor endTime"),
        ({"ts": TIME, "spotify_episode_uri": 7}, "spotify_episode_uri is not a text"),
        *(({"ts": time}, "ts is not a time such as 2024-05-03T12:00:30Z") for time in NEAR_TIMES),
    ],
)
def test_the_rule_says_what_is_wrong(element: dict[str, Any], problem: str | None) -> None:
    assert row_problem(element) == problem


def test_a_time_is_utc_and_that_of_the_small_export_exact_to_the_minute() -> None:
    assert played_at({"ts": "2024-05-03T12:00:30+02:00"}) == datetime(2024, 5, 3, 10, 0, 30, tzinfo=UTC)
    assert played_at({"endTime": "2024-05-03 12:00"}) == datetime(2024, 5, 3, 12, tzinfo=UTC)


def test_only_plain_values_of_documented_fields_are_kept_in_their_order() -> None:
    nested = {"city": "Madeuptown"}
    element = {
        "city": "Madeuptown",
        "ts": TIME,
        "platform": nested,
        "ms_played": 7,
        "TS": TIME,
        "episode_name": ["Madeuptown"],
        "reason_end": "x" * (MAX_TEXT_CHARACTERS + 1),
        "reason_start": "x" * MAX_TEXT_CHARACTERS,
        "skipped": None,
        "shuffle": False,
    }
    kept = kept_fields(element)
    assert list(kept) == ["ts", "ms_played", "reason_start", "skipped", "shuffle"]
    assert all(kept[name] == element[name] for name in kept)
