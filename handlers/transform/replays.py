"""The rows of `replays`: raw objects transformed when their earlier outputs may have been compacted.

Until then a repeated transform overwrites its outputs and deletes those that it no longer produces. Rows in a compacted
object stay beside the new ones: until the next compaction, and forever in a table or month that gets no new ones. This
table tells the views which of them count.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa

from handlers.tables import TABLES
from handlers.transform.arrow import Array
from handlers.transform.origin import Origin, common_columns
from handlers.transform.raw_objects import Counts
from handlers.transform.schema import table_schema
from handlers.transform.table_files import TableFiles

LONGEST_TRANSFORM = timedelta(minutes=15)
"""No function of Lambda runs longer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""

_TABLE = TABLES["replays"]


def is_late(day: date, now: datetime) -> bool:
    """Return whether the outputs of a day may be compacted before a transform that runs now is over.

    Args:
        day: the date in UTC that the outputs belong to.
        now: the current time, in UTC.
    """
    return (now + LONGEST_TRANSFORM).date() > day


def add_replay(origin: Origin, counts: Counts, files: TableFiles) -> None:
    """Write the row of an object: the same for every transform by the same version, whenever it runs."""
    nothing = pa.nulls(1, pa.string())
    envelope = pa.StructArray.from_arrays([nothing] * 4, ["account_id", "run_id", "read_id", "extracted_at"])
    common = common_columns(envelope, pa.array([0], pa.int64()), origin)
    values: dict[str, Array] = {
        "stream": pa.array([origin.stream], pa.string()),
        "lines": pa.array([counts.lines], pa.int64()),
    }
    arrays = [*(values[column.name] for column in _TABLE.columns), *common.columns]
    files.add(_TABLE.name, pa.Table.from_arrays(arrays, schema=table_schema(_TABLE.name)))
