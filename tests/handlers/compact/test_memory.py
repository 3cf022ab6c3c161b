"""A partition is compacted in the same memory, however large it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.handlers.compact.big_partition import write

ROOT = Path(__file__).parents[3]
LIMIT_MB = 350


def compacted(folder: Path) -> dict[str, Any]:
    """What the compaction of a folder took."""
    command = [sys.executable, "-m", "tests.handlers.compact.big_partition", str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("objects", "rows"), [(2_000, 1_000), (20, 100_000)])
def test_memory_is_bounded(tmp_path: Path, objects: int, rows: int) -> None:
    write(tmp_path, objects, rows)
    original, *_ = (tmp_path / "tables").rglob("*.parquet")
    first = compacted(tmp_path)
    # Written again, so that the next run reads what this one wrote.
    os.utime(original, (0, 0))
    second = compacted(tmp_path)
    assert (first["partitions"], first["objects_read"]) == (1, objects)
    assert (second["partitions"], second["objects_read"]) == (1, 2)
    made = [pq.ParquetFile(path).metadata for path in (tmp_path / "tables").rglob("compacted-*.parquet")]
    assert [one.num_rows for one in made] == [objects * rows] * 2
    assert sum(made[0].row_group(number).total_byte_size for number in range(made[0].num_row_groups)) > 2e8
    assert max(first["peak_mb"], second["peak_mb"]) < LIMIT_MB
