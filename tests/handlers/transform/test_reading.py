"""A block read without the fields that its first line does without says the same as its lines one by one."""

from __future__ import annotations

import itertools
from typing import Any

import pyarrow as pa
import pytest

from handlers.transform import reading as reading_module
from handlers.transform.blocks import Block
from handlers.transform.drift import Drift
from handlers.transform.reading import read_block
from handlers.transform.schema import read_schema
from tests.handlers.transform.stage import encode, raw_line
from tests.handlers.transform.test_golden import fixture_lines
from tests.thoroughness import sampled

TRACK = {"id": "1", "uri": "spotify:track:1", "type": "track", "name": "Song", "artists": [{"id": "a"}]}
RECORDS = {
    "item": {"is_local": False, "item": TRACK},
    "track": {"is_local": False, "track": TRACK},
    "both": {"item": TRACK, "track": {**TRACK, "id": "2"}},
    "neither": {"is_local": True, "item": None, "track": None},
    "no object": {"is_local": True, "item": TRACK, "track": True},
}
ORDERS = [[*names] for names in itertools.permutations(RECORDS, 3)]


def read(records: tuple[Any, ...]) -> list[Any]:
    data = b"".join(encode(raw_line("playlist_items", record)) + b"\n" for record in records)
    rows = read_block(Block(1, data), "playlist_items", Drift()).rows()
    assert rows.type == pa.struct(list(read_schema("playlist_items")))
    found: list[Any] = rows.to_pylist()
    return found


@pytest.mark.parametrize("names", sampled(ORDERS, ORDERS[::6]))
def test_whatever_the_first_line_does_without_no_other_line_loses_it(names: list[str]) -> None:
    records = tuple(RECORDS[name] for name in names)
    assert read(records) == [row for record in records for row in read((record,))]


def test_the_fields_of_a_name_that_is_not_used_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = []

    def noted(block: Block, schema: pa.Schema) -> pa.Table:
        schemas.append(schema)
        return read_whole(block, schema)

    read_whole = reading_module.read_whole
    monkeypatch.setattr(reading_module, "read_whole", noted)
    lines = [line for line in fixture_lines("playlist_items", "development") if line["record"].get("item")]
    read_block(Block(1, b"".join(encode(line) + b"\n" for line in lines)), "playlist_items", Drift())

    (schema,) = schemas
    record: Any = schema.field("record").type
    whole: Any = read_schema("playlist_items").field("record").type
    assert record.field("track").type.num_fields == 1
    assert record.field("item").type == whole.field("item").type


@pytest.mark.parametrize(
    "wrong", sampled([{0}, {399}, {5, 6, 7, 300}, {*range(0, 400, 2)}, {*range(400)}], [{5, 6, 7, 300}, {*range(400)}])
)
def test_lines_that_are_repaired_stand_in_order_among_the_others(wrong: set[int]) -> None:
    deep = b'{"record":{"new":' + b"[" * 20_000 + b"]" * 20_000 + b"}}"
    tracks = [{**TRACK, "id": str(number), "name": 5 if number in wrong else "n"} for number in range(400)]
    lines = [encode(raw_line("playlist_items", {"item": track})) for track in tracks]
    lines[100:103] = [b"no json", deep, b'{"record":5}']
    drift = Drift()
    reading = read_block(Block(11, b"\n".join(lines)), "playlist_items", drift)

    numbers = [number for number in range(400) if number not in {100, 102}]
    rows = reading.rows().to_pylist()
    assert reading.line_numbers().to_pylist() == [11 + number for number in numbers]
    for number, row in zip(numbers, rows, strict=True):
        item = row["record"]["item"] or {"id": None, "name": None}
        right = {"id": None, "name": None} if number == 101 else {"id": str(number), "name": "n"}
        assert (item["id"], item["name"]) == (right["id"], None if number in wrong else right["name"])
    assert [rejection.line_number for rejection in reading.rejections] == [111, 113]
    finding = drift.findings["record.item.name"]
    assert (finding.line, finding.count) == (11 + min(wrong), len(wrong - {100, 101, 102}))
