"""What the embedded Athena reads of a table's objects, and that answers do not depend on what it read before."""

from __future__ import annotations

import contextlib
import io
import itertools
import random
import tempfile
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from embedded_aws.services.athena import table_loader
from embedded_aws.services.athena.cancellation import Cancellation
from embedded_aws.services.athena.catalog import CallerCatalog
from embedded_aws.services.athena.kept_views import KeptViews
from embedded_aws.services.athena.parquet import ParquetColumns
from embedded_aws.services.athena.permissions import CallerPermissions
from embedded_aws.services.athena.warehouse import Warehouse
from tests.embedded_aws.athena_lab import DATABASE, LAKE, Lab, QueryFailedError
from tests.thoroughness import examples, sampled

MONTHS = ("2026-01", "2026-02", "2026-03")
NUMBERS = itertools.count()


class Reads:
    """What was read of objects: their names with the columns."""

    def __init__(self) -> None:
        self._found: set[tuple[str, tuple[str, ...]]] = set()

    def add(self, address: str, columns: Sequence[str]) -> None:
        name = "/".join(address.replace("month=", "").split("/")[-2:])
        self._found.add((name.removesuffix(".parquet"), tuple(columns)))

    def taken(self) -> dict[str, tuple[str, ...]]:
        """Return object → columns since the last call."""
        found, self._found = dict(self._found), set()
        return found


def key(month: str, name: str) -> str:
    return f"tables/plays/month={month}/{name}.parquet"


def make(lab: Lab) -> None:
    lab.empty()
    # The number makes it a table that no earlier test's rows are those of.
    columns = {"item": "string", "ms": "bigint", "rate": "double", "later": "string", f"unused{next(NUMBERS)}": "int"}
    lab.table("plays", columns, keys=("month",))
    for month in MONTHS:
        lab.partition("plays", month, keys=("month",))
        for number, name in enumerate("ab"):
            lab.put(key(month, name), {"item": [f"{month}{name}", "x"], "ms": [number, 10], "rate": [0.5, None]})


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let two objects be many."""
    monkeypatch.setattr(table_loader, "_FEW_OBJECTS", 1)
    monkeypatch.setattr(table_loader, "_BATCH_OBJECTS", 3)
    monkeypatch.setattr(table_loader, "_TASK_OBJECTS", 2)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every object be large."""
    monkeypatch.setattr(table_loader, "_LARGE_BYTES", 1)


@pytest.fixture
def lab(one_lab: Lab) -> Lab:
    make(one_lab)
    return one_lab


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    found = Reads()
    read = ParquetColumns.read

    def recorded(columns: ParquetColumns, content: pa.NativeFile, address: str) -> Any:
        found.add(address, [name for name, _ in columns._columns])
        return read(columns, content, address)

    monkeypatch.setattr(ParquetColumns, "read", recorded)
    return found


def every(*columns: str, months: tuple[str, ...] = MONTHS) -> dict[str, tuple[str, ...]]:
    return {f"{month}/{name}": columns for month in months for name in "ab"}


@pytest.mark.usefixtures("many")
def test_only_the_columns_that_queries_want_are_read(lab: Lab, reads: Reads) -> None:
    assert lab.query("SELECT sum(ms) FROM plays") == [("63",)]
    assert reads.taken() == every("ms")
    assert lab.query("SELECT count(*), max(ms) FROM plays") == [("12", "10")]
    assert reads.taken() == {}
    assert lab.query("SELECT count(rate), count(later) FROM plays") == [("6", "0")]
    assert reads.taken() == every("ms", "rate", "later")
    assert lab.query("SELECT max(ms), max(rate) FROM plays") == [("10", "0.5")]
    assert reads.taken() == {}


@pytest.mark.usefixtures("many")
def test_rows_are_counted_without_reading_a_column(lab: Lab, reads: Reads) -> None:
    assert lab.query("SELECT month, count(*) FROM plays GROUP BY month ORDER BY 1") == [(one, "4") for one in MONTHS]
    assert reads.taken() == every()


@pytest.mark.usefixtures("many")
def test_rows_are_found_by_the_path_of_their_object(lab: Lab) -> None:
    address = f"s3://{LAKE}/{key('2026-02', 'a')}"
    assert lab.query(f"""SELECT item FROM plays WHERE "$path" = '{address}' AND ms < 5""") == [("2026-02a",)]
    assert lab.query(f"""SELECT count(*) FROM plays WHERE "$path" <> '{address}'""") == [("10",)]
    assert lab.query("""SELECT count(*) FROM plays WHERE "$path" LIKE '%/b.parquet'""") == [("6",)]


def test_few_objects_are_read_once_for_all_columns(lab: Lab, reads: Reads) -> None:
    lab.query("SELECT max(ms) FROM plays")
    assert {columns[:4] for columns in reads.taken().values()} == {("item", "ms", "rate", "later")}
    assert lab.query("SELECT max(item), max(rate) FROM plays") == [("x", "0.5")]
    assert reads.taken() == {}


@pytest.mark.usefixtures("many")
def test_only_the_partitions_that_conditions_leave_are_read(lab: Lab, reads: Reads) -> None:
    assert lab.query("SELECT sum(ms) FROM plays WHERE month IN ('2026-01', '2026-03')") == [("42",)]
    assert reads.taken() == every("ms", months=MONTHS[::2])
    assert lab.query("SELECT sum(ms) FROM plays") == [("63",)]
    assert reads.taken() == every("ms", months=MONTHS[1:2])


@pytest.mark.usefixtures("many")
def test_the_value_of_a_partition_has_its_keys_type(lab: Lab) -> None:
    definition = {
        "Name": "years",
        "PartitionKeys": [{"Name": "year", "Type": "int"}],
        "StorageDescriptor": lab.client("glue").get_table(DatabaseName=DATABASE, Name="plays")["Table"][
            "StorageDescriptor"
        ],
    }
    lab.client("glue").create_table(DatabaseName=DATABASE, TableInput=definition)
    for value in ("2026", "__HIVE_DEFAULT_PARTITION__", "later"):
        lab.partition("years", value, keys=("year",))
        lab.put(f"tables/years/year={value}/a.parquet", {"ms": [1]})
    for sql in ("SELECT year FROM years", "SELECT ms FROM years"):
        with pytest.raises(
            QueryFailedError,
            match=r"^HIVE_INVALID_PARTITION_VALUE: Invalid partition value 'later' for integer partition key: year$",
        ):
            lab.query(sql)
    lab.client("glue").delete_partition(DatabaseName=DATABASE, TableName="years", PartitionValues=["later"])
    assert lab.query("SELECT year FROM years ORDER BY 1") == [("2026",), (None,)]


def test_what_a_query_leaves_out_may_be_damaged(lab: Lab) -> None:
    lab.client("s3").put_object(Bucket=LAKE, Key=key("2026-02", "c"), Body=b"no Parquet")
    assert lab.query("SELECT sum(ms) FROM plays WHERE month <> '2026-02'") == [("42",)]
    with pytest.raises(QueryFailedError, match=r"HIVE_BAD_DATA: Not valid Parquet file: .*month=2026-02/c\.parquet"):
        lab.query("SELECT sum(ms) FROM plays")


@pytest.mark.usefixtures("many")
def test_rows_of_a_dropped_partition_are_gone(lab: Lab) -> None:
    assert lab.query("SELECT sum(ms) FROM plays") == [("63",)]
    lab.client("glue").delete_partition(DatabaseName=DATABASE, TableName="plays", PartitionValues=["2026-02"])
    # The condition would leave it, and leaves out the first.
    assert lab.query("SELECT sum(ms) FROM plays WHERE month >= '2026-02'") == [("21",)]


@pytest.mark.usefixtures("many")
def test_only_who_wants_a_column_of_another_type_fails(lab: Lab) -> None:
    lab.put(key("2026-02", "c"), {"item": ["y"], "ms": ["text"], "rate": [1.5]})
    for _ in range(2):
        with pytest.raises(QueryFailedError, match=r"HIVE_BAD_DATA: Field ms's type string .*2026-02/c\.parquet"):
            lab.query("SELECT sum(ms) FROM plays")
        assert lab.query("SELECT max(item), max(rate) FROM plays") == [("y", "1.5")]


@pytest.mark.usefixtures("many")
def test_objects_of_different_types_and_columns_are_read_together(lab: Lab) -> None:
    lab.put(
        key("2026-02", "c"), {"ms": pa.array([1, 2], pa.int32()), "later": pa.array(["a", "b"]).dictionary_encode()}
    )
    lab.put(key("2026-02", "d"), {"other": [1, 2, 3]})
    found = lab.query('SELECT "$path", item, ms, later FROM plays WHERE later IS NOT NULL')
    address = f"s3://{LAKE}/{key('2026-02', 'c')}"
    assert sorted(found, key=str) == [(address, None, "1", "a"), (address, None, "2", "b")]
    assert lab.query("SELECT count(*), count(ms) FROM plays WHERE month = '2026-02'") == [("9", "6")]


@pytest.mark.usefixtures("many")
def test_rows_of_a_view_stay_kept_when_other_columns_are_read(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded_aws.services.athena.warehouse._MANY_ROWS", 1)
    computed: list[str] = []
    compute = KeptViews._computing

    def counted(views: KeptViews, kept: Any, cursor: Any) -> Any:
        computed.append(kept.state.name)
        return compute(views, kept, cursor)

    monkeypatch.setattr(KeptViews, "_computing", counted)
    lab.run("CREATE VIEW totals AS SELECT month, sum(ms) AS total FROM plays GROUP BY month")
    # A kept view has the rows of all partitions, whichever the first query wants.
    assert lab.query("SELECT total FROM totals WHERE month = '2026-01'") == [("21",)]
    assert lab.query("SELECT count(rate) FROM plays WHERE month = '2026-02'") == [("2",)]
    assert lab.query("SELECT sum(total) FROM totals") == [("63",)]
    assert computed == ['"music"."totals"']
    lab.put(key("2026-02", "c"), {"ms": [100]})
    assert lab.query("SELECT sum(ms) FROM plays WHERE month = '2026-02'") == [("121",)]
    assert lab.query("SELECT sum(total) FROM totals") == [("163",)]
    assert len(computed) == 2


@pytest.mark.usefixtures("large")
def test_large_objects_are_not_copied(lab: Lab, reads: Reads) -> None:
    lab.columns("plays", {"item": "string", "ms": "bigint", "later": "string"}, keys=("month",))
    for sql, rows in (
        ("SELECT sum(ms), max(item), count(later) FROM plays", [("63", "x", "0")]),
        ("SELECT month, count(*) FROM plays WHERE ms = 10 GROUP BY month ORDER BY 1", [(one, "2") for one in MONTHS]),
        ("SELECT \"$path\" FROM plays WHERE item = '2026-02b'", [(f"s3://{LAKE}/{key('2026-02', 'b')}",)]),
    ):
        assert lab.query(sql) == rows
    assert reads.taken() == {}
    lab.put(key("2026-02", "b"), {"item": ["new"], "ms": [7]})
    lab.client("s3").delete_object(Bucket=LAKE, Key=key("2026-03", "a"))
    assert lab.query("SELECT sum(ms), max(item), count(*) FROM plays") == [("49", "x", "9")]
    assert reads.taken() == {}


KINDS: dict[str, tuple[str, pa.Array[Any]]] = {
    "truth": ("boolean", pa.array([True, None, False])),
    "tiny": ("tinyint", pa.array([-128, None, 127], pa.int8())),
    "wider": ("bigint", pa.array([1, None, -1], pa.int32())),
    "amount": (
        "decimal(20,2)",
        pa.array([Decimal("-1.25"), None, Decimal("12345678901234567.89")], pa.decimal128(20, 2)),
    ),
    "fraction": ("double", pa.array([float("nan"), -0.0, 1.5])),
    "single": ("float", pa.array([float("nan"), None, 0.1], pa.float32())),
    "text": ("string", pa.array(["", "é\n'\"", None])),
    "repeated": ("string", pa.array(["x", None, "x"]).dictionary_encode()),
    "bytes": ("binary", pa.array([b"", b"\x00\xff", None])),
    "day": ("date", pa.array([-1, None, 20_000], pa.int32()).cast(pa.date32())),
    "moment": ("timestamp", pa.array([-1, None, 1_700_000_000_123], pa.timestamp("ms"))),
    "micros": ("timestamp", pa.array([-1, None, 1_700_000_000_123_456], pa.timestamp("us"))),
    "zoned": ("timestamp", pa.array([-1, None, 1_700_000_000_123], pa.timestamp("ms", "Europe/Berlin"))),
    "words": ("array<string>", pa.array([["a", None], [], None])),
    "pairs": ("map<string,int>", pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int32()))),
    "parts": ("struct<a:bigint,b:array<string>>", pa.array([{"a": 1, "b": ["x"]}, {"a": None, "b": None}, None])),
    "nothing": ("string", pa.nulls(3)),
    "another": ("int", pa.array(["text", "of", "another type"])),
}


COPIED = {"wider", "fraction", "single", "micros", "zoned", "nothing"}
"""Columns that DuckDB would not read as Arrow does."""


@pytest.mark.parametrize("name", sampled(KINDS, ("another", "bytes", "micros", "parts", "text", "truth")))
def test_values_of_large_objects_are_those_of_copied_ones(
    lab: Lab, reads: Reads, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    kind, values = KINDS[name]
    table, parts = f"kinds{next(NUMBERS)}", ("a b", "a/b=c", "100%+é", "__HIVE_DEFAULT_PARTITION__", "x?*[a]")
    lab.table(table, {"number": "int", name: kind})
    for number, part in enumerate(parts):
        descriptor = lab.client("glue").get_table(DatabaseName=DATABASE, Name=table)["Table"]["StorageDescriptor"]
        descriptor["Location"] = f"s3://{LAKE}/tables/{table}/{number}/"
        lab.client("glue").create_partition(
            DatabaseName=DATABASE, TableName=table, PartitionInput={"Values": [part], "StorageDescriptor": descriptor}
        )
        content = io.BytesIO()
        rows = pa.table({"Number": pa.array([number] * 3, pa.int32()), name.upper(): values})
        pq.write_table(
            rows if number else rows.select(["Number"]),
            content,
            compression="brotli" if number == 1 else "zstd",
            row_group_size=2,
            use_compliant_nested_type=number != 2,
        )
        lab.client("s3").put_object(
            Bucket=LAKE, Key=f"tables/{table}/{number}/dt=x/ä +{number}.parquet", Body=content.getvalue()
        )
    wanted = "number" if name == "another" else f"number, {name}"
    statements = [f'SELECT {wanted}, dt, "$path" FROM {table}', f"SELECT {wanted} FROM {table} WHERE dt LIKE 'a%'"]
    if name not in {"words", "pairs", "parts", "another"}:
        statements += [f"SELECT max({name}), min({name}) FROM {table}"]
    answers = []
    for size in (1, 10**9):
        monkeypatch.setattr(table_loader, "_LARGE_BYTES", size)
        reads.taken()
        answers.append([sorted(_fresh(lab, sql), key=str) for sql in statements])
        assert len(reads.taken()) == (len(parts) if size > 1 else len(parts) - 1 if name in COPIED else 1)
    assert answers[0] == answers[1]
    assert len(answers[0][0]) == 3 * len(parts)


@pytest.mark.usefixtures("large")
def test_a_large_object_is_damaged_deleted_or_replaced(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"item": [str(one) for one in range(5000)], "ms": range(5000)}), content)
    damaged = content.getvalue()
    lab.client("s3").put_object(Bucket=LAKE, Key=key("2026-02", "b"), Body=damaged[:100] + bytes(400) + damaged[500:])
    address = f"s3://{LAKE}/{key('2026-02', 'b')}"
    with pytest.raises(QueryFailedError, match=f"^HIVE_BAD_DATA: Not valid Parquet file: {address}: "):
        lab.query("SELECT count(DISTINCT item) FROM plays")
    snapshot = Warehouse._snapshot

    def late(content: bytes | None) -> Any:
        def change(warehouse: Warehouse, clock: str) -> Any:
            monkeypatch.setattr(Warehouse, "_snapshot", snapshot)
            if content is None:
                lab.client("s3").delete_object(Bucket=LAKE, Key=key("2026-02", "b"))
            else:
                lab.client("s3").put_object(Bucket=LAKE, Key=key("2026-02", "b"), Body=content)
            return snapshot(warehouse, clock)

        return change

    for content_then, total, reason in ((damaged, "12497552", "was replaced"), (None, "52", "does not exist")):
        monkeypatch.setattr(Warehouse, "_snapshot", late(content_then))
        with pytest.raises(
            QueryFailedError, match=f"^HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {address}: .*{reason}"
        ):
            lab.query("SELECT sum(ms), count(DISTINCT item) FROM plays")
        assert lab.query("SELECT sum(ms) FROM plays WHERE ms >= 0 AND item <> ''") == [(total,)]


@pytest.mark.usefixtures("large")
def test_a_damaged_object_is_bad_data_wherever_the_damage_is(lab: Lab) -> None:
    rng = random.Random(1)  # noqa: S311 - no secret
    good = io.BytesIO()
    pq.write_table(
        pa.table(
            {"item": [f"{rng.random()}" for _ in range(3000)], "ms": [rng.randrange(10**12) for _ in range(3000)]}
        ),
        good,
    )
    for _ in range(examples(40, 10)):
        bad = bytearray(good.getvalue())
        place = rng.randrange(4, len(bad) - 2000)
        bad[place : place + 300] = rng.randbytes(300)
        lab.client("s3").put_object(Bucket=LAKE, Key=key("2026-02", "b"), Body=bytes(bad))
        with contextlib.suppress(QueryFailedError):
            lab.query("SELECT count(DISTINCT ms), count(DISTINCT item) FROM plays")
            continue
        with pytest.raises(QueryFailedError, match=r"^HIVE_BAD_DATA: Not valid Parquet file: "):
            lab.query("SELECT count(DISTINCT ms), count(DISTINCT item) FROM plays")


@pytest.mark.usefixtures("large")
def test_objects_with_gzip_are_copied(lab: Lab, reads: Reads) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"item": ["x"] * 9, "ms": range(9)}), content, compression="gzip")
    lab.client("s3").put_object(Bucket=LAKE, Key=key("2026-02", "b"), Body=content.getvalue())
    assert lab.query("SELECT sum(ms) FROM plays WHERE month = '2026-02' AND item = 'x' AND ms < 9") == [("36",)]
    assert "2026-02/b" in reads.taken()


@pytest.mark.usefixtures("large")
def test_deleted_large_objects_that_a_statement_does_not_read_do_not_matter(lab: Lab) -> None:
    assert lab.query("SELECT sum(ms) FROM plays") == [("63",)]
    for name in "ab":
        lab.client("s3").delete_object(Bucket=LAKE, Key=key("2026-01", name))
    lab.run("CREATE OR REPLACE VIEW totals AS SELECT month, sum(ms) AS total FROM plays GROUP BY month")
    assert lab.query("SELECT sum(ms) FROM plays WHERE month > '2026-01'") == [("42",)]
    assert lab.query("SELECT total FROM totals WHERE month = '2026-02'") == [("21",)]


@pytest.mark.usefixtures("large")
def test_threads_read_a_large_object_together(lab: Lab) -> None:
    content, rows = io.BytesIO(), 200_000
    rng = random.Random(0)  # noqa: S311 - no secret
    items = [f"{rng.random()}" for _ in range(rows)]
    pq.write_table(pa.table({"item": items, "ms": range(rows)}), content, row_group_size=5000)
    lab.client("s3").put_object(Bucket=LAKE, Key=key("2026-02", "b"), Body=content.getvalue())
    total = sum(map(len, items))
    for _ in range(5):
        found = lab.query("SELECT sum(length(item)), sum(ms), count(DISTINCT item) FROM plays WHERE month = '2026-02'")
        assert found == [(str(total + len("2026-02ax")), str(rows * (rows - 1) // 2 + 10), str(len(set(items)) + 2))]


QUERIES = (
    "SELECT count(*) FROM plays",
    "SELECT sum(ms) FROM plays",
    "SELECT item, count(rate) FROM plays GROUP BY item",
    "SELECT ms, later FROM plays WHERE month = '2026-02'",
    "SELECT count(rate) FROM plays WHERE month > '2026-01' AND ms > 5",
    "SELECT count(DISTINCT \"$path\") FROM plays WHERE month < '2026-03'",
    "SELECT a.item FROM plays AS a JOIN plays AS b USING (ms) WHERE a.month = '2026-01' AND b.month = '2026-03'",
    "SELECT month FROM plays WHERE rate > (SELECT min(rate) - 1 FROM plays WHERE month = '2026-03')",
)


@pytest.mark.parametrize("seed", range(examples(6, 1)))
def test_answers_do_not_depend_on_what_was_read_before(lab: Lab, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    objects = {key(month, name) for month in MONTHS for name in "ab"}
    for step in range(examples(10, 5)):
        changed = key(rng.choice(MONTHS), rng.choice("abc"))
        if changed in objects and rng.random() < 0.5:
            objects.remove(changed)
            lab.client("s3").delete_object(Bucket=LAKE, Key=changed)
        else:
            objects.add(changed)
            lab.put(
                changed, {"item": [f"new {step}"], "ms": [step], "rate": [0.5], "later": [None, "z"][step % 2 :][:1]}
            )
        monkeypatch.setattr(table_loader, "_FEW_OBJECTS", rng.choice((0, 2, 64)))
        monkeypatch.setattr(table_loader, "_LARGE_BYTES", rng.choice((1, 1000, 100_000)))
        sql = rng.choice(QUERIES)
        assert sorted(lab.query(sql), key=str) == sorted(_fresh(lab, sql), key=str), (step, sql)


def _fresh(lab: Lab, sql: str) -> Sequence[tuple[str | None, ...]]:
    """Return the answer of a warehouse that has read nothing."""
    owner = CallerPermissions(lab.server, lab.server.owner.access_key_id)
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Warehouse(lab.server, Path(folder))) as warehouse:
        session = warehouse.session(None, Cancellation())
        return session.query(sql, DATABASE, (), CallerCatalog(lab.server, owner)).rows
