"""The origin of rows, and the columns with it at the end of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from handlers.layout import READ_ID_METADATA, RawKey, account_in, run_date
from handlers.tables import COMMON, SCHEMA_VERSION
from handlers.transform import times
from handlers.transform.arrow import Array, pc
from handlers.transform.columns import select


@dataclass(frozen=True)
class Origin:
    """The origin of rows: the values of the common columns that a line does not have."""

    raw_key: str
    stream: str | None
    day: date
    run_id: str | None = None
    read_id: str | None = None
    account_id: str | None = None
    extracted_at: str | None = None

    @classmethod
    def of(cls, key: RawKey, metadata: Mapping[str, str]) -> Origin:
        """Return the origin of a raw object's rows, from its key and its S3 metadata."""
        day = run_date(key.run_id)
        return cls(str(key), key.stream, day, key.run_id, metadata.get(READ_ID_METADATA), account_in(metadata))


def common_columns(envelope: Array, lines: Array, origin: Origin) -> pa.RecordBatch:
    """Return the common columns, from the fields of raw lines or else from the object."""
    count = len(lines)
    zeros = pa.repeat(pa.scalar(0, pa.int32()), count)
    values = {
        "account_id": _or_else(select(envelope, "account_id"), origin.account_id).dictionary_encode(),
        "_run_id": _or_else(select(envelope, "run_id"), origin.run_id).dictionary_encode(),
        "_read_id": _or_else(select(envelope, "read_id"), origin.read_id).dictionary_encode(),
        "_extracted_at": times.timestamps(select(envelope, "extracted_at")),
        "_raw_key": pa.DictionaryArray.from_arrays(zeros, [origin.raw_key]),
        "_line": lines,
        "_schema_version": pa.repeat(pa.scalar(SCHEMA_VERSION, pa.int32()), count),
        "dt": pa.DictionaryArray.from_arrays(zeros, [f"{origin.day}"]),
    }
    return pa.RecordBatch.from_arrays([values[column.name] for column in COMMON], [column.name for column in COMMON])


def _or_else(values: Array, value: str | None) -> Array:
    return values if value is None or not values.null_count else pc.fill_null(values, value)
