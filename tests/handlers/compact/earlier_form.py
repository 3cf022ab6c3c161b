"""Objects of the tables as version 2 of them wrote them: in folders of the partition key of then."""

from __future__ import annotations

import io

import pyarrow.parquet as pq

from handlers.tables import TABLES

NEW_COLUMNS = {name: {"dt", "month"} if name == "runs" else {"dt"} for name in TABLES}
"""Columns that are new since."""


def key_of_then(table: str) -> str:
    """Return the partition key of a table in version 2."""
    return next(iter((*TABLES[table].earlier_partition_keys, TABLES[table].partition_key)))


def is_earlier(key: str) -> bool:
    """Return whether an object of the tables is in a folder of an earlier partition key."""
    _, table, folder, _ = key.split("/")
    return folder.partition("=")[0] in TABLES[table].earlier_partition_keys


def earlier_form(key: str, body: bytes) -> tuple[str, bytes]:
    """Return where version 2 wrote an object of the tables, and its content, without the columns that are new since."""
    _, table, folder, name = key.split("/")
    rows = pq.read_table(io.BytesIO(body))
    if (partition_key := key_of_then(table)) in rows.column_names:
        folder = f"{partition_key}={rows[partition_key][0]}"
    buffer = io.BytesIO()
    pq.write_table(rows.drop_columns(sorted(NEW_COLUMNS[table])), buffer, store_schema=False)
    return f"tables/{table}/{folder}/{name}", buffer.getvalue()
