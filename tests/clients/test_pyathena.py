"""PyAthena, and SQLAlchemy with its dialect."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Clients

pytestmark = pytest.mark.clients

CONNECTED = """
from pyathena import connect

def connected(**options):
    return connect(
        work_group=outputs["athena_workgroup_name"], schema_name=outputs["glue_database_name"],
        poll_interval=0.1, **options,
    )

SQL = "SELECT item_type, count(*) AS n, max(played_at) AS latest, sum(ms_played) AS ms FROM plays GROUP BY 1"
"""
ENGINE = """
import sqlalchemy as sa

address = f"awsathena+rest://@athena.eu-central-1.amazonaws.com:443/{outputs['glue_database_name']}"
engine = sa.create_engine(f"{address}?work_group={outputs['athena_workgroup_name']}&poll_interval=0.1")
"""


def test_a_cursor_has_typed_rows_and_their_description(clients: Clients) -> None:
    described, [row], counted, many, error = clients.python(
        CONNECTED
        + """
cursor = connected().cursor()
rows = cursor.execute(SQL).fetchall()
described = [column[:2] for column in cursor.description]
counted = cursor.execute("SELECT count(*) FROM plays WHERE item_type = %(kind)s", {"kind": "track"}).fetchone()
many = len(cursor.execute("SELECT x FROM UNNEST(sequence(1, 2500)) AS t(x)").fetchall())
try:
    cursor.execute("SELECT nothing FROM plays")
except Exception as found:
    error = [type(found).__name__, str(found)]
result = described, [[type(value).__name__ for value in row] for row in rows], counted, many, error
"""
    )
    assert described == [["item_type", "varchar"], ["n", "bigint"], ["latest", "timestamp"], ["ms", "bigint"]]
    assert row == ["str", "int", "datetime", "NoneType"]
    assert counted[0] > 0
    assert many == 2500
    assert error[0] == "OperationalError"
    assert error[1].startswith("COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved")


def test_other_cursors_return_dictionaries_frames_and_futures(clients: Clients) -> None:
    row, kinds, waited = clients.python(
        CONNECTED
        + """
from pyathena.async_cursor import AsyncCursor
from pyathena.cursor import DictCursor
from pyathena.pandas.cursor import PandasCursor

row = connected(cursor_class=DictCursor).cursor().execute(SQL).fetchone()
frame = connected(cursor_class=PandasCursor).cursor().execute(SQL).as_pandas()
_, future = connected(cursor_class=AsyncCursor).cursor().execute(SQL)
result = row, {name: str(kind) for name, kind in frame.dtypes.items()}, future.result().fetchall()[0][0]
"""
    )
    assert (row["item_type"], row["ms"], waited) == ("track", None, "track")
    assert (kinds["n"], kinds["ms"]) == ("Int64", "Int64")
    assert kinds["latest"].startswith("datetime64")


def test_a_query_is_unloaded_into_files_that_become_a_frame(clients: Clients) -> None:
    plain, unloaded = clients.python(
        CONNECTED
        + """
from pyathena.pandas.cursor import PandasCursor

staging = f"s3://{outputs['athena_results_bucket_name']}/unloaded/"
cursor = connected(cursor_class=PandasCursor, s3_staging_dir=staging).cursor(unload=True)
unloaded = cursor.execute(SQL).as_pandas()
plain = connected(cursor_class=PandasCursor).cursor().execute(SQL).as_pandas()
result = [frame[["item_type", "n"]].to_dict("records") for frame in (plain, unloaded)]
"""
    )
    assert plain == unloaded
    assert plain[0]["n"] > 0


def test_metadata_of_the_catalog(clients: Clients) -> None:
    databases, tables, columns = clients.python(
        CONNECTED
        + """
cursor = connected().cursor()
databases = [one.name for one in cursor.list_databases("AwsDataCatalog")]
tables = [one.name for one in cursor.list_table_metadata()]
found = cursor.get_table_metadata("plays")
result = databases, tables, [[one.name, one.type] for one in [*found.columns, *found.partition_keys]]
"""
    )
    assert databases == [clients.outputs["glue_database_name"]]
    assert {"plays", "current_saved_tracks"} <= set(tables)
    assert ["played_at", "timestamp"] in columns
    assert columns[-1] == ["month", "string"]


def test_sqlalchemy_reflects_schemas_tables_views_and_columns(clients: Clients) -> None:
    schemas, tables, views, known, columns, definition, everything = clients.python(
        ENGINE
        + """
found = sa.inspect(engine)
everything = sa.MetaData()
everything.reflect(engine)
result = (
    found.get_schema_names(),
    found.get_table_names(),
    found.get_view_names(),
    [found.has_table("plays"), found.has_table("another")],
    {column["name"]: str(column["type"]) for column in found.get_columns("current_saved_tracks")},
    found.get_view_definition("current_saved_tracks"),
    sorted(everything.tables),
)
"""
    )
    assert schemas == [clients.outputs["glue_database_name"]]
    assert "plays" in tables
    assert "current_saved_tracks" in views
    assert set(tables).isdisjoint(views)
    assert known == [True, False]
    assert (columns["track_id"], columns["added_at"], columns["duration_ms"]) == ("VARCHAR", "TIMESTAMP", "BIGINT")
    assert definition.startswith("CREATE VIEW ")
    assert everything == sorted(tables)


def test_sqlalchemy_queries_a_reflected_table(clients: Clients) -> None:
    rows, scalar, frame = clients.python(
        ENGINE
        + """
import pandas as pd

plays = sa.Table("plays", sa.MetaData(), autoload_with=engine)
query = (
    sa.select(plays.c.item_type, sa.func.count().label("n"))
    .where(plays.c.month >= "2026", plays.c.played_at > sa.func.date("2000-01-01"))
    .group_by(plays.c.item_type).order_by(sa.desc("n")).limit(5)
)
with engine.connect() as connection:
    rows = [list(row) for row in connection.execute(query)]
    counted = sa.text("SELECT count(*) FROM plays WHERE item_type = :kind")
    scalar = connection.execute(counted, {"kind": "track"}).scalar()
result = rows, scalar, list(pd.read_sql("SELECT track_name, played_at FROM plays LIMIT 2", engine).columns)
"""
    )
    assert rows == [["track", scalar]]
    assert frame == ["track_name", "played_at"]
