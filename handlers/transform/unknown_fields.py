"""Detection of undeclared fields in a sample of lines: the reader of blocks skips what it does not know.

Checking every line would take longer than reading it. When Spotify starts to send a field, every object of a kind has
it, so a few lines from all over a block are enough.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from handlers.transform.blocks import Block
from handlers.transform.documented import STREAM_FIELDS, Fields
from handlers.transform.drift import Drift
from handlers.transform.mapping import STREAM_MAPPINGS

SAMPLE_LINES = 16
"""Number of lines of a block that are checked."""
SAMPLE_BYTES = 64 * 1024
"""Approximate number of bytes that are checked, if lines are long."""
MAX_FIELDS = 20
"""Maximum number of unknown fields reported per object: one with ids as names would fill the log."""

_FOUND = "an unknown field"
_NAME_CHARACTERS = 64
_UNNAMED = "record.*"


def note_unknown_fields(block: Block, stream: str, drift: Drift) -> None:
    """Count the undocumented fields in the sampled records of a block, by path.

    For a stream whose lines are not quoted, all unknown fields are counted together: even a name may be personal.

    Args:
        block: whole lines; those that are not raw lines are skipped.
        stream: whose records they are.
        drift: counts the paths, with the first line that shows each.
    """
    noted = sum(finding.found == _FOUND for finding in drift.findings.values())
    for start, line in _sample(block):
        for unknown in _unknown(_record(line), STREAM_FIELDS[stream], "record"):
            path = unknown if STREAM_MAPPINGS[stream].quotes_lines else _UNNAMED
            if path not in drift.findings:
                if noted == MAX_FIELDS:
                    continue
                noted += 1
            drift.add(path, _FOUND, line=block.first_line + block.data.count(b"\n", 0, start))


def _sample(block: Block) -> Iterator[tuple[int, bytes]]:
    """Yield lines from all over a block, or all of them if there are few, each with its offset."""
    data = block.data
    wanted = min(SAMPLE_LINES, block.lines, max(1, SAMPLE_BYTES * block.lines // len(data)))
    end = -1
    for number in range(wanted):
        start = end + 1 if wanted == block.lines else data.rfind(b"\n", 0, len(data) * number // wanted) + 1
        if start <= end:  # a long line that was checked already
            continue
        newline = data.find(b"\n", start)
        end = len(data) if newline < 0 else newline
        yield start, data[start:end]


def _record(line: bytes) -> Any:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return parsed.get("record") if isinstance(parsed, dict) else None


def _unknown(value: Any, known: Fields, path: str) -> Iterator[str]:
    """Yield the paths of unknown fields, also in nested objects and lists."""
    in_list = isinstance(value, list)
    for element in value if in_list else [value]:
        if not isinstance(element, dict):
            continue
        for name, inner in element.items():
            place = f"{path}{'[]' if in_list else ''}.{name[:_NAME_CHARACTERS]}"
            if name not in known:
                yield place
            elif (fields := known[name]) is not None:
                yield from _unknown(inner, fields, place)
