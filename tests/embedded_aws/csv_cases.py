"""Lines of CSV, and the three columns that Trino 476 reads in each; `make test-trino` asks it again."""

from __future__ import annotations

from tests.embedded_aws.athena_lab import LAKE

CASES: list[tuple[str, tuple[str | None, str | None, str | None]]] = [
    ("a,b,c", ("a", "b", "c")),
    ("a,b", ("a", "b", None)),
    ("a,b,c,d", ("a", "b", "c")),
    (",,", ("", "", "")),
    ("", (None, None, None)),
    ('"a","b,b","c ""c"""', ("a", "b,b", 'c "c"')),
    ('"","",""', ("", "", "")),
    (' a , "b" ,c', (" a ", 'b" ', "c")),
    (r'"a\"a",b\c,"\\"', ('a"a', "bc", "\\")),
    (r"a\,b,\\,c", ("a", "b", "")),
    ('ab"cd"ef,x,y', ('abcd"ef', "x", "y")),
    ('abc"de"f,x,y', ('abc"de"f', "x", "y")),
    ('a"b,c,d', (None, None, None)),
    ('a,b,"c', ("a", "b", None)),
    ("é,\t,\x0b", ("é", "\t", "\x0b")),
]


def declared() -> str:
    """Return the statement that creates the table of all lines."""
    return (
        "CREATE EXTERNAL TABLE lines (a string, b string, c string)"
        f" ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://{LAKE}/lines/'"
    )


def line_objects() -> dict[str, bytes]:
    """Return by key an object for each line, in the order of the cases."""
    return {f"lines/{number:02}.csv": f"{line}\n".encode() for number, (line, _) in enumerate(CASES)}
