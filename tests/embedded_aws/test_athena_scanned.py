"""The bytes that a query scans: column chunks of the partitions that its conditions leave, once for each reading."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.embedded_aws.athena_lab import LAKE, WORKGROUP, Lab
from tests.thoroughness import sampled

MONTHS = ("2026-01", "2026-02", "2026-03")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("athena")) as running:
        running.table("plays", {"item": "string", "ms": "bigint", "at": "timestamp"}, keys=("month", "source"))
        for number, month in enumerate(MONTHS, start=1):
            for source in ("api", "export"):
                running.partition("plays", month, source, keys=("month", "source"))
                running.put(
                    f"tables/plays/month={month}/source={source}/a.parquet",
                    {"item": [f"{source} {row}" for row in range(10 * number)], "ms": list(range(10 * number))},
                )
        running.run("CREATE VIEW heard AS SELECT item, ms, month, source FROM plays WHERE ms IS NOT NULL")
        running.run("CREATE VIEW totals AS SELECT month, sum(ms) AS total FROM heard GROUP BY month")
        yield running


def chunks(
    lab: Lab, *columns: str, months: tuple[str, ...] = MONTHS, sources: tuple[str, ...] = ("api", "export")
) -> int:
    """Return the compressed size of columns, from the footers."""
    size = 0
    for month in months:
        for source in sources:
            key = f"tables/plays/month={month}/source={source}/a.parquet"
            body = lab.client("s3").get_object(Bucket=LAKE, Key=key)["Body"].read()
            group: Any = pq.ParquetFile(io.BytesIO(body)).metadata.row_group(0)
            found = (group.column(place) for place in range(group.num_columns))
            size += sum(chunk.total_compressed_size for chunk in found if chunk.path_in_schema in columns)
    return size


def scanned(lab: Lab, sql: str) -> int:
    execution = lab.run(sql)
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    found: int = execution["Statistics"]["DataScannedInBytes"]
    return found


@pytest.mark.parametrize(
    ("sql", "columns", "months"),
    sampled(
        [
            ("SELECT item FROM plays", ("item",), MONTHS),
            ("SELECT * FROM plays", ("item", "ms"), MONTHS),
            ("SELECT count(*) FROM plays", (), ()),
            ("SELECT month, count(*) FROM plays WHERE source = 'api' GROUP BY month", (), ()),
            ("SELECT count(*) FROM plays WHERE ms > 3", ("ms",), MONTHS),
            ("SELECT sum(ms) FROM plays WHERE month >= '2026-02'", ("ms",), MONTHS[1:]),
            ("SELECT sum(ms) FROM plays WHERE month IN ('2026-01', '2026-03')", ("ms",), MONTHS[::2]),
            ("SELECT sum(ms) FROM plays WHERE month = '2026-01' AND item <> 'x'", ("ms", "item"), MONTHS[:1]),
            ("SELECT sum(ms) FROM plays WHERE month = '2026-01' OR item <> 'x'", ("ms", "item"), MONTHS),
            ("SELECT sum(ms) FROM plays WHERE substr(month, 6) = '02'", ("ms",), MONTHS[1:2]),
            ("SELECT sum(ms) FROM plays WHERE CAST(month || '-01' AS date) < DATE '2026-02-01'", ("ms",), MONTHS[:1]),
            ("SELECT sum(ms) FROM plays WHERE month = 'it''s'", ("ms",), ()),
            # Through views, only what the query needs of them.
            ("SELECT item FROM heard", ("item", "ms"), MONTHS),
            ("SELECT count(*) FROM heard WHERE month < '2026-02'", ("ms",), MONTHS[:1]),
            ("SELECT total FROM totals WHERE month = '2026-03'", ("ms",), MONTHS[2:]),
        ],
        8,
    ),
)
def test_columns_and_partitions_count(lab: Lab, sql: str, columns: tuple[str, ...], months: tuple[str, ...]) -> None:
    assert scanned(lab, sql) == chunks(lab, *columns, months=months)


def test_partitions_by_the_current_date_follow_the_clock(lab: Lab) -> None:
    sql = "SELECT sum(ms) FROM plays WHERE month > date_format(current_date - INTERVAL '400' YEAR, '%Y-%m')"
    assert scanned(lab, sql) == chunks(lab, "ms")
    sql = "SELECT sum(ms) FROM plays WHERE month > date_format(current_date + INTERVAL '400' YEAR, '%Y-%m')"
    assert scanned(lab, sql) == 0


def test_two_keys_prune_together(lab: Lab) -> None:
    sql = "SELECT sum(ms) FROM plays WHERE source = 'api' AND month <> '2026-02'"
    assert scanned(lab, sql) == chunks(lab, "ms", months=MONTHS[::2], sources=("api",))


def test_every_reading_of_a_table_counts(lab: Lab) -> None:
    sql = "SELECT a.ms FROM plays AS a JOIN plays AS b ON b.item = a.item AND b.month = '2026-01'"
    assert scanned(lab, sql) == chunks(lab, "ms", "item") + chunks(lab, "item", months=MONTHS[:1])


def test_kept_rows_of_a_view_count_like_computed_ones(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded_aws.services.athena.warehouse._MANY_ROWS", 1)
    for _ in range(2):
        assert scanned(lab, "SELECT total FROM totals") == chunks(lab, "ms")


def test_the_workgroups_limit_is_for_these_bytes(lab: Lab) -> None:
    configuration = lab.server.backend("athena").work_groups[WORKGROUP].configuration
    # The smallest that AWS takes is ten million.
    configuration["BytesScannedCutoffPerQuery"] = limit = chunks(lab, "ms", months=MONTHS[:1])
    try:
        assert lab.run("SELECT sum(ms) FROM plays WHERE month = '2026-01'")["Status"]["State"] == "SUCCEEDED"
        stopped = lab.run("SELECT sum(ms) FROM plays")
    finally:
        del configuration["BytesScannedCutoffPerQuery"]
    assert stopped["Status"]["State"] == "CANCELLED"
    assert stopped["Status"]["StateChangeReason"].endswith(f"Bytes scanned limit was exceeded (limit {limit})")
    assert stopped["Statistics"]["DataScannedInBytes"] == chunks(lab, "ms")
