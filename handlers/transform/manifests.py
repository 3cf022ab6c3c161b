"""A run manifest → rows of `runs`, one per unit. Manifests are small and our own, so plain Python reads them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pyarrow as pa

from handlers.layout import ManifestKey, run_date
from handlers.tables import TABLES
from handlers.transform.columns import fitted as fitted_column
from handlers.transform.origin import Origin, common_columns
from handlers.transform.raw_objects import Counts, add_rejections
from handlers.transform.rejections import RejectedLineError, Rejection
from handlers.transform.schema import READ_TYPES, table_schema
from handlers.transform.table_files import TableFiles
from handlers.transform.tolerant import fitted, kind_of, parse

MAX_MANIFEST_BYTES = 32 * 1024 * 1024

# Columns of `runs` that describe the whole run; the others come from the unit.
_OF_RUN = {
    "trigger": "trigger",
    "scheduled_at": "scheduled_at",
    "started_at": "started_at",
    "finished_at": "finished_at",
    "run_status": "status",
    "run_reason": "reason",
}


def transform_manifest(content: bytes, key: ManifestKey, files: TableFiles) -> Counts:
    """Read a manifest and write its units as rows to `files`; a unit that cannot become a row is a rejected record."""
    counts = Counts()
    origin = Origin(str(key), "runs", run_date(key.run_id), key.run_id)
    try:
        manifest, units = _taken_apart(content)
    except RejectedLineError as error:
        reason = "not_json" if error.reason in ("not_utf8", "too_deep") else error.reason
        add_rejections([Rejection(0, reason, error.detail)], origin, files)
        return counts
    counts.lines = len(units)
    changed: dict[str, str] = {}
    account_id = fitted(manifest.get("account_id"), pa.string(), "account_id", changed)
    finished_at = fitted(manifest.get("finished_at"), pa.string(), "finished_at", changed)
    origin = dataclasses.replace(origin, account_id=account_id, extracted_at=finished_at)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    rejections: list[Rejection] = []
    for number, unit in enumerate(units, start=1):
        try:
            rows.append(_row(manifest, unit, key, changed))
            lines.append(number)
        except RejectedLineError as error:
            text = json.dumps(unit, ensure_ascii=False).encode(errors="replace")
            rejections.append(Rejection(number, error.reason, error.detail, text))
    for path, found in changed.items():
        counts.drift.add(path, found)
    counts.rejected = len(rejections)
    if rows:
        files.add("runs", _table(rows, lines, origin, counts))
    add_rejections(rejections, origin, files)
    return counts


def _taken_apart(content: bytes) -> tuple[dict[str, Any], list[Any]]:
    manifest = parse(content)
    if not isinstance(manifest, dict):
        raise RejectedLineError("wrong_type", f"The manifest is {kind_of(manifest)}, not an object.")
    units = manifest.get("units")
    if not isinstance(units, list):
        raise RejectedLineError("wrong_type", f"units is {kind_of(units)}, not a list.")
    return manifest, units


def _row(manifest: dict[str, Any], unit: Any, key: ManifestKey, changed: dict[str, str]) -> dict[str, Any]:
    """Return the values of one unit.

    Raises:
        RejectedLineError: the unit is not an object, or its stream or unit is missing.
    """
    if not isinstance(unit, dict):
        raise RejectedLineError("wrong_type", f"The unit is {kind_of(unit)}, not an object.")
    row: dict[str, Any] = {
        "run_id": key.run_id,
        "attempt": key.attempt,
        "month": f"{run_date(key.run_id):%Y-%m}",
    }
    for column in TABLES["runs"].columns:
        if column.name in row:
            continue
        name = _OF_RUN.get(column.name, column.name)
        source, path = (manifest, name) if column.name in _OF_RUN else (unit, f"units[].{name}")
        row[column.name] = fitted(source.get(name), READ_TYPES[column.type], path, changed)
    for name in TABLES["runs"].grain:
        if row[name] is None:
            value = unit.get(name)
            if value is None:
                raise RejectedLineError("missing_key", f"{name} is missing.")
            raise RejectedLineError("wrong_type", f"{name} is {kind_of(value)}.")
    return row


def _table(rows: list[dict[str, Any]], lines: list[int], origin: Origin, counts: Counts) -> pa.Table:
    arrays = []
    for column in TABLES["runs"].columns:
        values = pa.array([row[column.name] for row in rows], READ_TYPES[column.type])
        arrays.append(fitted_column(values, column))
        lost = arrays[-1].null_count - values.null_count
        if lost:
            counts.drift.add(column.name, f"a value that does not fit {column.type}", count=lost)
    envelope = pa.StructArray.from_arrays(
        [
            pa.nulls(len(rows), pa.string()),
            pa.nulls(len(rows), pa.string()),
            pa.array([row["read_id"] for row in rows], pa.string()),
            pa.array([origin.extracted_at] * len(rows), pa.string()),
        ],
        ["account_id", "run_id", "read_id", "extracted_at"],
    )
    common = common_columns(envelope, pa.array(lines, pa.int64()), origin)
    return pa.Table.from_arrays([*arrays, *common.columns], schema=table_schema("runs"))
