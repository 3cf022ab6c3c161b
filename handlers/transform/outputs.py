"""`outputs/`: what each raw object became, to delete outputs that it no longer produces."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from handlers.layout import TABLES_PREFIX
from handlers.tables import SCHEMA_VERSION


@dataclass(frozen=True)
class Outputs:
    """What one object became; as JSON, the content of its key below `outputs/`."""

    raw_key: str
    keys: dict[str, int] = field(default_factory=dict)
    """Output key → rows."""
    rows: dict[str, int] = field(default_factory=dict)
    """Table → rows, across its partitions."""
    lines: int = 0
    rejected: int = 0
    """Lines that did not become a row; without rejections of line 0."""

    def to_json(self) -> bytes:
        """Return the JSON; the same outputs always give the same bytes."""
        made = {
            "raw_key": self.raw_key,
            "schema_version": SCHEMA_VERSION,
            "outputs": self.keys,
            "rows": self.rows,
            "lines": self.lines,
            "rejected": self.rejected,
        }
        return json.dumps(made, indent=1, sort_keys=True).encode()


def keys_in(content: bytes) -> frozenset[str]:
    """Return the output keys recorded by an earlier run; none if the record cannot be read."""
    try:
        noted: Any = json.loads(content)
        return frozenset(key for key in noted["outputs"] if key.startswith(TABLES_PREFIX))
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset()
