"""Keys that identify a record of a list, whatever else of it changes from day to day."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from handlers.streams import ITEM_KEYS


def record_key(record: Any) -> str:
    """Return the time the item was played or added, if any, and its URI; without a URI a digest of the whole record.

    The rest does not count: names and image addresses change while the item stays the same.
    """
    if isinstance(record, dict):
        uri = record.get("uri")
        for name in ITEM_KEYS:
            if isinstance(uri, str):
                break
            inner = record.get(name)
            uri = inner.get("uri") if isinstance(inner, dict) else None
        moments = [record[name] for name in ("played_at", "added_at") if isinstance(record.get(name), str)]
        if isinstance(uri, str):
            return " ".join([*moments, uri])
    return hashlib.sha256(canonical_json(record)).hexdigest()


def canonical_json(value: Any) -> bytes:
    """Return the same bytes for the same JSON value, whatever the order of its keys, ending with a newline."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii") + b"\n"
