"""Athena's SQL gives Trino's results, or an error.

The expected results are from Trino's documentation (https://trino.io/docs/current/functions.html) and source code.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
import time_machine

from tests.embedded_aws.athena_lab import Lab, QueryFailedError
from tests.thoroughness import sampled

TABLE = {
    "id": "bigint",
    "small": "int",
    "name": "string",
    "at": "timestamp",
    "on_day": "date",
    "ratio": "double",
    "flag": "boolean",
    "tags": "array<string>",
    "price": "decimal(10,2)",
}

NESTED = {
    "id": "bigint",
    "s": "struct<x:int,y:string>",
    "m": "map<string,int>",
    "ss": "array<struct<x:int,y:string>>",
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder: Path = tmp_path_factory.mktemp("athena")
    with Lab(folder) as running:
        running.table("t", TABLE)
        running.partition("t", "2026-01-01")
        moments = [datetime(2026, 1, 31, 23, 30), datetime(2026, 7, 1, 10), None]  # noqa: DTZ001 - as Parquet holds it
        running.put(
            "tables/t/dt=2026-01-01/a.parquet",
            {
                "id": pa.array([1, 2, 3], pa.int64()),
                "small": pa.array([7, -7, None], pa.int32()),
                "name": ["Ärzte", "b", None],
                "at": pa.array(moments, pa.timestamp("ms")),
                "on_day": pa.array([one.date() if one else None for one in moments], pa.date32()),
                "ratio": [2.5, -2.5, None],
                "flag": [True, False, None],
                "tags": pa.array([["x", "y"], [], None], pa.list_(pa.string())),
                "price": pa.array([None, None, None], pa.decimal128(10, 2)),
            },
        )
        running.table("n", NESTED, keys=())
        fields = pa.struct([("x", pa.int32()), ("y", pa.string())])
        running.put(
            "tables/n/a.parquet",
            {
                "id": pa.array([1, 2], pa.int64()),
                "s": pa.array([{"x": 1, "y": "a"}, None], fields),
                "m": pa.array([[("a", 1), ("b", None)], None], pa.map_(pa.string(), pa.int32())),
                "ss": pa.array([[{"x": 1, "y": "a"}, {"x": 2, "y": None}], []], pa.list_(fields)),
            },
        )
        yield running


SCALARS = [
    # Integers divide as integers, towards zero; sums of them are bigint.
    ("7 / 2", "3"),
    ("-7 / 2", "-3"),
    ("7 % -3", "1"),
    ("7e0 / 2", "3.5"),
    ("CAST(7 AS double) / 2", "3.5"),
    ("sum(small) / count(*)", "0"),
    ("CAST(sum(small) AS double) / count(id)", "0.0"),
    ("avg(id)", "2.0"),
    ("date_add('day', sum(id), DATE '2026-01-01')", "2026-01-07"),
    ("sum(id) FILTER (WHERE flag) + 1", "2"),
    ("CAST(count_if(flag) AS varchar)", "1"),
    # Rounding is half away from zero, in casts too.
    ("CAST(2.5e0 AS bigint)", "3"),
    ("CAST(-2.5e0 AS integer)", "-3"),
    ("round(2.5e0)", "3.0"),
    ("round(-2.345e0, 2)", "-2.35"),
    ("ceil(5)", "5"),
    ("floor(-1.5e0)", "-2.0"),
    ("CAST(1.5e0 AS decimal(5,2))", "1.50"),
    # Doubles are written as Java does.
    ("1e7", "1.0E7"),
    ("1.5e-4", "1.5E-4"),
    ("123456.75e0", "123456.75"),
    # Text.
    ("'a' || 'b'", "ab"),
    ("concat('a', 'b', 'c')", "abc"),
    ("coalesce(concat('a', CAST(NULL AS varchar)), 'null')", "null"),
    ("CAST('abcdef' AS varchar(2))", "ab"),
    ("CAST(12 AS varchar)", "12"),
    ("CAST(true AS varchar)", "true"),
    ("CAST(1.50 AS varchar)", "1.50"),
    ("CAST(TIMESTAMP '2026-01-02 03:04:05.000' AS varchar)", "2026-01-02 03:04:05.000"),
    ("CAST(DATE '2026-01-02' AS varchar)", "2026-01-02"),
    ("substr('abcd', -2)", "cd"),
    ("substr('abcd', 2, 2)", "bc"),
    ("split_part('a-b', '-', 2)", "b"),
    ("coalesce(split_part('a-b', '-', 3), 'null')", "null"),
    ("regexp_replace('abc', '(b)', '<$1>')", "a<b>c"),
    ("coalesce(regexp_extract('abc', 'x'), 'null')", "null"),
    ("regexp_extract('abc', '(b)(c)', 2)", "c"),
    ("regexp_like('abc', 'b')", "true"),
    ("upper('ärzte')", "ÄRZTE"),
    ("length('ärzte')", "5"),
    ("trim(' \t a ')", "a"),
    ("trim(LEADING 'x' FROM 'xax')", "ax"),
    ("position('b' IN 'abc')", "2"),
    ("lpad('7', 3, '0')", "007"),
    ("format('%s-%03d', 'a', 7)", "a-007"),
    ("json_extract_scalar('{\"a\": {\"b\": 1}}', '$.a.b')", "1"),
    ("coalesce(json_extract_scalar('{\"a\": {\"b\": 1}}', '$.a'), 'null')", "null"),
    ("'a' LIKE 'A'", "false"),
    ("'10%' LIKE '10!%' ESCAPE '!'", "true"),
    # Numbers from text.
    ("CAST('12' AS integer)", "12"),
    ("coalesce(TRY_CAST('1.5' AS integer), -1)", "-1"),
    ("coalesce(TRY_CAST('x' AS double), -1e0)", "-1.0"),
    ("TRY_CAST('2026-02-30' AS date) IS NULL", "true"),
    # Nulls.
    ("coalesce(greatest(1, NULL), -1)", "-1"),
    ("least(3, 1, 2, 4)", "1"),
    ("1e0 / 0", "Infinity"),
    ("-ratio / 0 IS NULL", "false"),
    ("0e0 / 0", "NaN"),
    ("nullif(1, 1) IS NULL", "true"),
    ("NULL IS DISTINCT FROM 1", "true"),
    ("if(1 > 2, 'a', 'b')", "b"),
    # Dates keep their type.
    ("DATE '2026-01-31' + INTERVAL '1' MONTH", "2026-02-28"),
    ("DATE '2026-01-31' - INTERVAL '1' DAY", "2026-01-30"),
    ("date_add('day', -1, DATE '2026-01-01')", "2025-12-31"),
    ("date_add('month', 1, TIMESTAMP '2026-01-31 10:00:00')", "2026-02-28 10:00:00.000"),
    ("date_trunc('week', DATE '2026-11-26')", "2026-11-23"),
    ("date_trunc('month', TIMESTAMP '2026-11-26 01:02:03')", "2026-11-01 00:00:00.000"),
    ("date_trunc('month', max(on_day))", "2026-07-01"),
    ("date_trunc('day', max(at))", "2026-07-01 00:00:00.000"),
    ("date_add('day', 1, max(on_day))", "2026-07-02"),
    ("max(on_day) + INTERVAL '1' DAY", "2026-07-02"),
    # Differences count whole units.
    ("date_diff('hour', TIMESTAMP '2026-01-01 10:59:00', TIMESTAMP '2026-01-01 11:01:00')", "0"),
    ("date_diff('day', TIMESTAMP '2026-01-01 12:00:00', TIMESTAMP '2026-01-03 11:00:00')", "1"),
    ("date_diff('month', DATE '2026-01-31', DATE '2026-02-28')", "1"),
    ("date_diff('day', DATE '2026-01-03', DATE '2026-01-01')", "-2"),
    ("date_diff('day', min(on_day), max(on_day))", "151"),
    # Weeks are ISO's, Sunday is 7.
    ("day_of_week(DATE '2026-11-29')", "7"),
    ("EXTRACT(DOW FROM DATE '2026-11-29')", "7"),
    ("week(DATE '2021-01-01')", "53"),
    ("year_of_week(DATE '2021-01-01')", "2020"),
    ("EXTRACT(hour FROM TIMESTAMP '2026-01-01 23:00:00')", "23"),
    ("millisecond(TIMESTAMP '2026-01-01 00:00:07.250')", "250"),
    ("hour(max(at))", "10"),
    ("hour(max(on_day))", "0"),
    ("minute(DATE '2026-01-02') + second(DATE '2026-01-02') + millisecond(DATE '2026-01-02')", "0"),
    ("date_format(TIMESTAMP '2026-01-02 03:04:05', '%Y-%m-%d %H:%i:%s')", "2026-01-02 03:04:05"),
    ("date_format(DATE '2026-01-02', '%W %e %M')", "Friday 2 January"),
    ("format_datetime(TIMESTAMP '2026-01-02 03:04:05', 'yyyy-MM-dd''T''HH:mm')", "2026-01-02T03:04"),
    ("date_parse('02.01.2026', '%d.%m.%Y')", "2026-01-02 00:00:00.000"),
    ("from_unixtime(0)", "1970-01-01 00:00:00.000 UTC"),
    ("to_unixtime(TIMESTAMP '1970-01-01 00:00:01.500')", "1.5"),
    ("to_iso8601(TIMESTAMP '2026-01-02 03:04:05.000')", "2026-01-02T03:04:05.000"),
    ("from_iso8601_timestamp('2026-01-02T03:04:05Z')", "2026-01-02 03:04:05.000 UTC"),
    ("CAST('2026-01-02 03:04:05.6789' AS timestamp)", "2026-01-02 03:04:05.679"),
    ("last_day_of_month(DATE '2026-02-03')", "2026-02-28"),
    # Time zones.
    (
        "CAST(TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin' AS timestamp)",
        "2026-07-02 01:30:00.000",
    ),
    ("CAST(TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Europe/Berlin' AS date)", "2026-07-02"),
    ("hour(TIMESTAMP '2026-01-01 23:30:00' AT TIME ZONE 'Europe/Berlin')", "0"),
    (
        "CAST(at_timezone(with_timezone(TIMESTAMP '2026-07-01 12:00:00', 'UTC'), 'America/New_York') AS timestamp)",
        "2026-07-01 08:00:00.000",
    ),
    (
        "CAST(date_trunc('day', TIMESTAMP '2026-07-01 23:30:00' AT TIME ZONE 'Europe/Berlin') AS timestamp)",
        "2026-07-02 00:00:00.000",
    ),
    ("with_timezone(TIMESTAMP '2026-07-01 12:00:00', 'UTC') = TIMESTAMP '2026-07-01 14:00:00 Europe/Berlin'", "true"),
    ("EXTRACT(hour FROM TIMESTAMP '2026-07-01 14:00:00 Europe/Berlin')", "14"),
    # The clock is Python's, which may be simulated.
    ("current_date", "2031-05-06"),
    ("now() - INTERVAL '1' HOUR", "2031-05-06 06:00:00.000 UTC"),
    ("CAST(current_timestamp AS timestamp) = localtimestamp", "true"),
    # Aggregates.
    ("max_by(name, id) IS NULL", "true"),
    ("min_by(name, id)", "Ärzte"),
    ("count_if(flag)", "1"),
    ("array_agg(name ORDER BY id)", "[Ärzte, b, null]"),
    ("array_agg(id ORDER BY name DESC)", "[1, 2, 3]"),
    ("listagg(name, ',') WITHIN GROUP (ORDER BY id DESC)", "b,Ärzte"),
    ("bool_or(flag)", "true"),
    ("count(*) FILTER (WHERE id > 1)", "2"),
    ("count(DISTINCT name)", "2"),
    # Arrays.
    ("cardinality(ARRAY['a', NULL])", "2"),
    ("ARRAY['a', 'b'][2]", "b"),
    ("element_at(ARRAY['a', 'b'], -1)", "b"),
    ("element_at(ARRAY['a'], 2) IS NULL", "true"),
    ("contains(ARRAY['a'], 'b')", "false"),
    ("contains(ARRAY['a', NULL], 'b') IS NULL", "true"),
    ("array_distinct(ARRAY[3, 1, 3, 2])", "[3, 1, 2]"),
    ("array_max(ARRAY[1, NULL]) IS NULL", "true"),
    ("array_join(ARRAY['a', NULL, 'b'], '-')", "a-b"),
    ("transform(ARRAY[1, 2], x -> x * 2)", "[2, 4]"),
    ("filter(ARRAY[1, 2, 3], x -> x > 1)", "[2, 3]"),
    ("any_match(ARRAY[1, 2], x -> x = 2)", "true"),
    ("none_match(ARRAY[1, 2], x -> x = 2)", "false"),
    ("sequence(3, 1)", "[3, 2, 1]"),
    ("sequence(DATE '2026-01-31', DATE '2026-02-01')", "[2026-01-31, 2026-02-01]"),
    ("split('a,b', ',')", "[a, b]"),
    ("slice(ARRAY[1, 2, 3], 2, 2)", "[2, 3]"),
]


# The lists are in the order of what they are about: a third shows each of it.
@pytest.mark.parametrize(("expression", "answer"), sampled(SCALARS, SCALARS[::3]))
def test_expression_gives_what_trino_gives(lab: Lab, expression: str, answer: str) -> None:
    with time_machine.travel(datetime(2031, 5, 6, 7, 0, tzinfo=UTC), tick=False):
        assert lab.query(f"SELECT {expression} FROM t")[0] == (answer,)


QUERIES = [
    ("SELECT id, small / 2 FROM t ORDER BY id", [("1", "3"), ("2", "-3"), ("3", None)]),
    ("SELECT name FROM t ORDER BY name DESC", [("Ärzte",), ("b",), (None,)]),
    ("SELECT name FROM t ORDER BY 1 NULLS FIRST LIMIT 1", [(None,)]),
    ("SELECT id FROM t ORDER BY id OFFSET 1 LIMIT 1", [("2",)]),
    ("SELECT x, n FROM t CROSS JOIN UNNEST(tags) WITH ORDINALITY AS u (x, n) ORDER BY n", [("x", "1"), ("y", "2")]),
    (
        "SELECT id, x FROM t CROSS JOIN UNNEST(ARRAY['n:' || name, lower(name)]) AS u (x) WHERE id = 1 ORDER BY x",
        [("1", "n:Ärzte"), ("1", "ärzte")],
    ),
    (
        "SELECT x FROM t CROSS JOIN UNNEST(array_distinct(filter(tags, i -> i <> lower(name)))) AS u (x) ORDER BY x",
        [("x",), ("y",)],
    ),
    (
        "SELECT id, x FROM t LEFT JOIN UNNEST(tags) AS u (x) ON TRUE WHERE id > 1 ORDER BY id",
        [("2", None), ("3", None)],
    ),
    (
        """SELECT id, last_value(name) IGNORE NULLS OVER (
            ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) FROM t ORDER BY id""",
        [("1", "Ärzte"), ("2", "b"), ("3", "b")],
    ),
    (
        "SELECT id, lag(id, 1) OVER (ORDER BY id), row_number() OVER (ORDER BY id DESC) FROM t ORDER BY id LIMIT 1",
        [("1", None, "3")],
    ),
    ("SELECT DISTINCT date_add('day', sum(id) OVER (), DATE '2026-01-01') FROM t", [("2026-01-07",)]),
    ("SELECT flag, sum(small) FROM t GROUP BY flag HAVING sum(small) > 0", [("true", "7")]),
    (
        "SELECT flag, grouped.total FROM (SELECT flag, count(*) AS total FROM t GROUP BY 1) AS grouped ORDER BY flag",
        [("false", "1"), ("true", "1"), (None, "1")],
    ),
    (
        "WITH a AS (SELECT 1 AS x UNION ALL SELECT 2), b AS (SELECT x + 1 AS x FROM a) SELECT x FROM b EXCEPT SELECT 3",
        [("2",)],
    ),
    (
        "SELECT id FROM t AS l JOIN t AS r USING (id) WHERE EXISTS (SELECT 1 FROM t AS i WHERE i.small = r.small + 14)",
        [("2",)],
    ),
    ("SELECT id FROM t WHERE id NOT IN (SELECT small FROM t)", []),
    ("SELECT id FROM t WHERE name IN ('b', 'c') AND dt = '2026-01-01'", [("2",)]),
    ("SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS v (i, s) ORDER BY i DESC", [("2", None), ("1", "a")]),
    ("VALUES 1, 2", [("1",), ("2",)]),
    ('SELECT "$path", count(*) FROM t GROUP BY "$path"', [("s3://lake-bucket/tables/t/dt=2026-01-01/a.parquet", "3")]),
    ("SELECT awsdatacatalog.music.t.id FROM awsdatacatalog.music.t WHERE id = 1", [("1",)]),
    ("SELECT MAX(ID) FROM MUSIC.T", [("3",)]),
    ("SELECT CASE small WHEN 7 THEN 'seven' ELSE 'other' END FROM t ORDER BY id LIMIT 1", [("seven",)]),
    (
        "SELECT date_add('day', -CAST(row_number() OVER (ORDER BY on_day) AS integer), on_day) FROM t WHERE id = 1",
        [("2026-01-30",)],
    ),
]


@pytest.mark.parametrize(("sql", "rows"), sampled(QUERIES, QUERIES[::2]))
def test_query_gives_what_trino_gives(lab: Lab, sql: str, rows: list[tuple[str | None, ...]]) -> None:
    assert lab.query(sql) == rows


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("VALUES (1, 'a')", [("_col0", "integer"), ("_col1", "varchar")]),
        ("(VALUES (1, 'a'))", [("_col0", "integer"), ("_col1", "varchar")]),
        ("SELECT * FROM ((VALUES 1)) CROSS JOIN (VALUES 'a')", [("_col0", "integer"), ("_col0", "varchar")]),
        ("SELECT ceil(small), floor(id) FROM t", [("_col0", "integer"), ("_col1", "bigint")]),
    ],
)
def test_columns_are_named_and_typed_as_trino_does(lab: Lab, sql: str, columns: list[tuple[str, str]]) -> None:
    results = lab.client("athena").get_query_results(QueryExecutionId=lab.run(sql)["QueryExecutionId"])
    described = results["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(column["Name"], column["Type"]) for column in described] == columns


REFUSED = [
    # What Trino rejects, too.
    ("SELECT nosuch FROM t", r"COLUMN_NOT_FOUND: line 1:8: Column 'nosuch' cannot be resolved"),
    ("SELECT id\nFROM t\nWHERE t.nosuch = 1", r"COLUMN_NOT_FOUND: line 3:7: Column 't.nosuch' cannot be resolved"),
    ("SELECT 1 FROM nosuch", r"TABLE_NOT_FOUND: Table 'awsdatacatalog.music.nosuch' does not exist"),
    ("SELECT 1 FROM nosuch.t", r"SCHEMA_NOT_FOUND"),
    ("SELECT 1 FROM other.music.t", r"CATALOG_NOT_FOUND"),
    ("SELEC 1", r"NOT_SUPPORTED|SYNTAX_ERROR"),
    ("SELECT FROM WHERE", r"SYNTAX_ERROR"),
    ("SELECT 1; SELECT 2", r"SYNTAX_ERROR: Only one sql statement"),
    ("SELECT id AS key FROM t GROUP BY key", r"COLUMN_NOT_FOUND"),
    ("SELECT id AS key FROM t WHERE key = 1", r"COLUMN_NOT_FOUND"),
    ("SELECT id AS key, key + 1 FROM t", r"COLUMN_NOT_FOUND"),
    ("SELECT name, count(*) FROM t", r"EXPRESSION_NOT_AGGREGATE"),
    ("SELECT nosuch(id) FROM t", r"FUNCTION_NOT_FOUND: Function 'nosuch' not registered"),
    ("SELECT json_value(name, 'lax $.a') FROM t", r"NOT_SUPPORTED: The function json_value"),
    ("SELECT 1 / 0", r"DIVISION_BY_ZERO: Division by zero$"),
    ("SELECT CAST(id * 99999999999 AS integer) FROM t", r"NUMERIC_VALUE_OUT_OF_RANGE: Out of range for integer: \d+$"),
    ("SELECT CAST(ratio * 100 AS tinyint) FROM t", r"NUMERIC_VALUE_OUT_OF_RANGE: Out of range for tinyint: -?250\.0$"),
    ("SELECT CAST(ratio * 1e30 AS bigint) FROM t", r"INVALID_CAST_ARGUMENT: Unable to cast -?2\.5E30 to bigint$"),
    ("SELECT CAST(DECIMAL '300' AS tinyint)", r"INVALID_CAST_ARGUMENT: Cannot cast '300' to TINYINT$"),
    ("SELECT CAST(on_day AS bigint) FROM t", r"TYPE_MISMATCH: (line 1:8: )?Cannot cast date to bigint$"),
    ("SELECT CAST(small + 1234.5 AS decimal(4, 2)) FROM t", r"INVALID_CAST_ARGUMENT: Cannot cast '[\d.]+' to DECIMAL"),
    ("SELECT id / (id - id) FROM t", r"DIVISION_BY_ZERO"),
    ("SELECT 1 FROM t WHERE dt = 20260101", r"TYPE_MISMATCH: Cannot apply operator: varchar = int"),
    ("SELECT 1 FROM t WHERE at > '2026-01-01'", r"TYPE_MISMATCH"),
    ("SELECT 1 FROM t WHERE id BETWEEN 'a' AND 'b'", r"TYPE_MISMATCH"),
    ("SELECT 'a' || 1", r"FUNCTION_NOT_FOUND|TYPE_MISMATCH"),
    ("SELECT length(id) FROM t", r"FUNCTION_NOT_FOUND|TYPE_MISMATCH"),
    ("SELECT CAST('1.5' AS integer)", r"INVALID_CAST_ARGUMENT"),
    ("SELECT CAST('2026-01-02T03:04:05' AS timestamp)", r"INVALID_CAST_ARGUMENT"),
    ("SELECT CAST(name AS date) FROM t", r"INVALID_CAST_ARGUMENT"),
    ("SELECT ARRAY[1][2]", r"INVALID_FUNCTION_ARGUMENT: Array subscript must be"),
    ("SELECT id + DATE '2026-01-01' FROM t", r"TYPE_MISMATCH|NOT_SUPPORTED"),
    ("SELECT on_day + 1 FROM t", r"TYPE_MISMATCH"),
    ("SELECT on_day + INTERVAL '1' HOUR FROM t", r"INVALID_FUNCTION_ARGUMENT: Cannot add hour"),
    ("SELECT id::varchar FROM t", r"SYNTAX_ERROR: line 1:10"),
    ("SELECT * EXCLUDE (id) FROM t", r"SYNTAX_ERROR"),
    ("SELECT DISTINCT ON (id) id FROM t", r"SYNTAX_ERROR"),
    ("SELECT id FROM t GROUP BY ALL", r"COLUMN_NOT_FOUND"),
    ("SELECT l.id FROM t AS l JOIN t AS r USING (id)", r"COLUMN_NOT_FOUND: Column 'l.id' cannot be resolved"),
    ("SELECT id FROM t NATURAL JOIN t AS u", r"NOT_SUPPORTED: A NATURAL join"),
    ("SELECT count(DISTINCT id) OVER () FROM t", r"NOT_SUPPORTED: DISTINCT in window"),
    ("SELECT id FROM t UNION SELECT name FROM t", r"TYPE_MISMATCH: column 1 in UNION query has incompatible types"),
    ("SELECT 1 UNION ALL SELECT 1, 2", r"TYPE_MISMATCH: UNION query has different number of fields: 1, 2"),
    ("SELECT id FROM t WHERE id", r"TYPE_MISMATCH: A condition must evaluate to a boolean \(actual: bigint\)"),
    ("SELECT if(id, 1, 2) FROM t", r"TYPE_MISMATCH: A condition"),
    ("SELECT sum(flag) FROM t", r"FUNCTION_NOT_FOUND: Unexpected parameters \(boolean\) for function sum"),
    ("SELECT coalesce(name, id) FROM t", r"TYPE_MISMATCH"),
    # Where Trino's result would differ from DuckDB's.
    ("SELECT CAST(TIMESTAMP '2026-01-02 03:04:05' AS varchar)", r"NOT_SUPPORTED: The text of a timestamp literal"),
    ("SELECT to_iso8601(TIMESTAMP '2026-01-02 03:04:05')", r"NOT_SUPPORTED: The text of a timestamp literal"),
    (
        "SELECT coalesce(at AT TIME ZONE 'Europe/Berlin', at) FROM t",
        r"NOT_SUPPORTED: A timestamp in zone Europe/Berlin",
    ),
    ("SELECT date_diff('day', at AT TIME ZONE 'Europe/Berlin', at) FROM t", r"NOT_SUPPORTED"),
    ("SELECT id FROM t TABLESAMPLE BERNOULLI (10)", r"NOT_SUPPORTED"),
    ("SELECT try((SELECT 1 / 0))", r"NOT_SUPPORTED: try of this expression|DIVISION_BY_ZERO"),
    ("SELECT list_sort(tags) FROM t", r"FUNCTION_NOT_FOUND"),
    ("SELECT * FROM read_csv('/etc/passwd')", r"NOT_SUPPORTED"),
]


@pytest.mark.parametrize(("sql", "reason"), sampled(REFUSED, REFUSED[::3]))
def test_query_is_refused(lab: Lab, sql: str, reason: str) -> None:
    with pytest.raises(QueryFailedError, match=reason):
        lab.query(sql)


def test_parameters_replace_question_marks_in_order(lab: Lab) -> None:
    rows = lab.query("SELECT id, ? FROM t WHERE name = ? OR id = ?", parameters=["'first'", "'b'", "2"])
    assert rows == [("2", "first")]


def test_number_of_parameters_must_fit(lab: Lab) -> None:
    with pytest.raises(QueryFailedError, match="INVALID_PARAMETER_USAGE"):
        lab.query("SELECT ?", parameters=["1", "2"])
