"""The generated module of documented fields is current, and its hand-written part is needed."""

from __future__ import annotations

import pytest

from handlers.streams import STREAMS, Stream
from handlers.transform.documented import STREAM_FIELDS
from scripts import documented_fields
from scripts.documented_fields import BEYOND, ROOT, TARGET, page, record_fields


def test_module_is_what_make_fields_writes() -> None:
    assert (ROOT / TARGET).read_text(encoding="utf-8") == page(), f"{TARGET} is stale: run `make fields`."


def test_every_stream_has_its_fields() -> None:
    assert STREAM_FIELDS.keys() == STREAMS.keys()
    assert all(STREAM_FIELDS.values())


@pytest.mark.parametrize("entry", BEYOND, ids=" ".join)
def test_no_field_beyond_the_openapi_file_is_in_it(
    monkeypatch: pytest.MonkeyPatch, entry: tuple[str, str, str]
) -> None:
    monkeypatch.setattr(documented_fields, "BEYOND", tuple(one for one in BEYOND if one != entry))
    assert page() != (ROOT / TARGET).read_text(encoding="utf-8")


def test_an_endpoint_that_was_not_extracted_is_named() -> None:
    stream = Stream(name="new", doc="New.", mode="snapshot", path="me/new", key=("id",), item_keys=("",))
    with pytest.raises(LookupError, match=r"^me/new is not in the extract: add it to scripts/openapi_schemas\.py"):
        record_fields(stream)
