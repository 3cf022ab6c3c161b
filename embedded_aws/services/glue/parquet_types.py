"""The types that a crawler gives the columns of a Parquet file.

It goes by the types in the footer that came with Parquet's first version, and by nothing that Arrow or pandas store
beside them. Those know no nanoseconds and no durations: it takes such columns for the integers that they are stored as.
Source: https://github.com/NatLabRockies/buildstockbatch/issues/411.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from embedded_aws.services.athena.parquet_types import int96_columns, plain
from embedded_aws.services.athena.types import from_arrow


def hive_types(file: pq.ParquetFile) -> dict[str, str]:
    """Return the Hive type of each column, by its name in lower case.

    Raises:
        UnknownTypeError: Hive has no such type.
    """
    int96 = int96_columns(file)
    return {
        column.name.lower(): from_arrow(column.type if column.name in int96 else _stored(plain(column.type))).hive
        for column in file.schema_arrow
    }


def _stored(arrow: Any) -> Any:
    """Return an Arrow type as a reader of the footer's first types sees it."""
    if pa.types.is_duration(arrow) or (pa.types.is_timestamp(arrow) and arrow.unit == "ns"):
        return pa.int64()
    if pa.types.is_struct(arrow):
        return pa.struct([field.with_type(_stored(field.type)) for field in arrow])
    if pa.types.is_list(arrow):
        return pa.list_(arrow.value_field.with_type(_stored(arrow.value_type)))
    if pa.types.is_map(arrow):
        return pa.map_(arrow.key_type, arrow.item_field.with_type(_stored(arrow.item_type)))
    return arrow
