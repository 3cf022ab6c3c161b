"""AWS SDK for pandas, `awswrangler`."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Clients

pytestmark = pytest.mark.clients

NAMES = """
import awswrangler as wr
import pandas as pd

database, workgroup = outputs["glue_database_name"], outputs["athena_workgroup_name"]
bucket = f"s3://{outputs['transformed_bucket_name']}"

def query(sql, **options):
    return wr.athena.read_sql_query(sql, database=database, workgroup=workgroup, ctas_approach=False, **options)
"""


def test_queries_become_frames(clients: Clients) -> None:
    kinds, whole, parts, chosen, cached = clients.python(
        NAMES
        + """
frame = query("SELECT item_type, count(*) AS n, max(played_at) AS latest FROM plays GROUP BY 1")
chunks = query("SELECT * FROM plays", chunksize=4)
chosen = query("SELECT count(*) AS n FROM plays WHERE item_type = :kind", params={"kind": "track"})
cached = query("SELECT count(*) AS n FROM plays", athena_cache_settings={"max_cache_seconds": 900})
result = (
    {name: str(kind) for name, kind in frame.dtypes.items()},
    int(frame["n"].sum()), [len(chunk) for chunk in chunks], int(chosen["n"][0]), int(cached["n"][0]),
)
"""
    )
    assert kinds["n"] == "Int64"
    assert kinds["latest"].startswith("datetime64")
    assert whole == sum(parts) == chosen == cached
    assert len(parts) > 1


def test_queries_become_frames_by_tables_and_by_files(clients: Clients) -> None:
    counted, unloaded, left, statement, described = clients.python(
        NAMES
        + """
from awswrangler import athena

where = dict(database=database, workgroup=workgroup)
SQL = "SELECT item_type, count(*) AS n, max(played_at) AS latest FROM plays GROUP BY 1"
before = set(wr.catalog.tables(database=database, limit=500)["Table"])
# Its default: a table of the result, which it reads and deletes.
counted = athena.read_sql_query(SQL, **where)
target = f"s3://{outputs['athena_results_bucket_name']}/unloaded/"
unloaded = athena.read_sql_query(SQL, ctas_approach=False, unload_approach=True, s3_output=target, **where)
result = (
    counted.astype(str).to_dict("records"),
    unloaded.astype(str).to_dict("records"),
    sorted(set(wr.catalog.tables(database=database, limit=500)["Table"]) - before),
    athena.show_create_table("plays", **where),
    list(athena.describe_table("plays", **where)["Column Name"]),
)
"""
    )
    assert counted == unloaded
    assert [row["item_type"] for row in counted] == ["track"]
    assert left == []
    assert statement.startswith("CREATE EXTERNAL TABLE")
    assert {"played_at", "month"} <= set(described)


def test_the_catalog_is_listed_and_searched(clients: Clients) -> None:
    tables, searched, kinds, partitions, described = clients.python(
        NAMES
        + """
described = wr.catalog.table(database=database, table="plays")
result = (
    list(wr.catalog.tables(database=database, limit=500)["Table"]),
    sorted(wr.catalog.tables(search_text="saved_tracks")["Table"]),
    wr.catalog.get_table_types(database=database, table="plays"),
    list(wr.catalog.get_partitions(database=database, table="plays").values()),
    list(described[described["Partition"]]["Column Name"]),
)
"""
    )
    assert {"plays", "current_saved_tracks"} <= set(tables)
    assert searched == ["current_saved_tracks", "saved_tracks"]
    assert (kinds["played_at"], kinds["duration_ms"]) == ("timestamp", "bigint")
    assert partitions == [["2026-11"]]
    assert described == ["month"]


def test_parquet_is_read_from_the_bucket(clients: Clients) -> None:
    read, catalogued, queried, folders = clients.python(
        NAMES
        + """
result = (
    list(wr.s3.read_parquet(f"{bucket}/tables/plays/", dataset=True)["month"].unique()),
    len(wr.s3.read_parquet_table(table="plays", database=database)),
    int(query("SELECT count(*) AS n FROM plays")["n"][0]),
    wr.s3.list_directories(f"{bucket}/tables/"),
)
"""
    )
    assert read == ["2026-11"]
    assert catalogued == queried > 0
    assert any(folder.endswith("/tables/saved_tracks/") for folder in folders)


def test_a_frame_becomes_a_table_that_grows_and_goes(clients: Clients) -> None:
    rows, counted, kinds, dropped = clients.python(
        NAMES
        + """
moments = pd.to_datetime(["2026-01-01", "2026-01-02"])
frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "at": moments, "p": ["u", "v"]})
where = dict(path=f"{bucket}/notes/", dataset=True, database=database, table="notes", partition_cols=["p"])
wr.s3.to_parquet(frame, mode="overwrite", **where)
rows = query("SELECT a, b, p FROM notes ORDER BY a").to_dict("records")
wr.s3.to_parquet(frame.assign(c=1.5), mode="append", **where)
counted = query("SELECT count(*) AS n, count(c) AS c FROM notes").to_dict("records")
kinds = wr.catalog.get_table_types(database=database, table="notes")
dropped = wr.catalog.delete_table_if_exists(database=database, table="notes")
wr.s3.delete_objects(f"{bucket}/notes/")
result = rows, counted, kinds, dropped
"""
    )
    assert rows == [{"a": 1, "b": "x", "p": "u"}, {"a": 2, "b": "y", "p": "v"}]
    assert counted == [{"n": 4, "c": 2}]
    assert kinds == {"a": "bigint", "b": "string", "at": "timestamp", "c": "double", "p": "string"}
    assert dropped is True
