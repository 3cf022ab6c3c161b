"""Tables of CSV, read as Hive's OpenCSVSerde does."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from tests.embedded_aws.athena_lab import LAKE, Lab, QueryFailedError
from tests.embedded_aws.csv_cases import CASES, declared, line_objects

SERDE = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"


@pytest.fixture(scope="module")
def open_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab(tmp_path_factory.mktemp("csv")) as running:
        yield running


@pytest.fixture
def lab(open_lab: Lab) -> Lab:
    open_lab.empty()
    return open_lab


def created(lab: Lab, *, columns: str = "a string, b string", properties: str = "", after: str = "") -> None:
    statement = f"CREATE EXTERNAL TABLE c ({columns}) {SERDE} {properties} LOCATION 's3://{LAKE}/c/' {after}"
    assert lab.run(statement)["Status"]["State"] == "SUCCEEDED"


def put(lab: Lab, key: str, content: bytes) -> None:
    lab.client("s3").put_object(Bucket=LAKE, Key=key, Body=content)


def test_lines_have_the_fields_that_they_have_in_trino(lab: Lab) -> None:
    lab.run(declared())
    for key, content in line_objects().items():
        put(lab, key, content)
    found = lab.query('SELECT a, b, c FROM lines ORDER BY "$path"')
    assert found == [fields for _, fields in CASES]


def test_headers_line_ends_and_compression(lab: Lab) -> None:
    created(lab, after="TBLPROPERTIES ('skip.header.line.count' = '1')")
    put(lab, "c/1.csv", b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y")
    put(lab, "c/2.csv.gz", gzip.compress(b"a,b\n3,\xff\n"))
    put(lab, "c/3.csv", b"only a header\n")
    assert lab.query("SELECT a, b FROM c ORDER BY 1") == [("1", "x"), ("2", "y"), ("3", "\N{REPLACEMENT CHARACTER}")]
    put(lab, "c/4.csv.gz", b"no gzip")
    with pytest.raises(
        QueryFailedError, match=r"HIVE_CURSOR_ERROR: Failed to read file: s3://lake-bucket/c/4\.csv\.gz"
    ):
        lab.query("SELECT a FROM c")


def test_other_characters_separate_quote_and_escape(lab: Lab) -> None:
    created(lab, properties="""WITH SERDEPROPERTIES ('separatorChar'='|', 'quoteChar'='\\'', 'escapeChar'='^')""")
    put(lab, "c/1", rb"""'a|''^''|"b\"""")
    assert lab.query("SELECT a, b FROM c") == [("a|''", '"b\\"')]


def test_all_of_an_object_is_scanned_whatever_is_read(lab: Lab) -> None:
    created(lab)
    put(lab, "c/1.csv", b"1,x\n2,y\n")
    for sql in ("SELECT a FROM c", "SELECT count(*) FROM c", "SELECT * FROM c WHERE b = 'x'"):
        assert lab.run(sql)["Statistics"]["DataScannedInBytes"] == 8


def test_a_table_becomes_another_when_its_format_changes(lab: Lab) -> None:
    created(lab)
    put(lab, "c/1.csv", b"1,x\n2,y\n")
    assert lab.query("SELECT count(*) FROM c") == [("2",)]
    assert lab.run("ALTER TABLE c SET TBLPROPERTIES ('skip.header.line.count' = '1')")["Status"]["State"] == "SUCCEEDED"
    assert lab.query("SELECT a, b FROM c") == [("2", "y")]


def test_what_is_not_modelled_is_refused_in_a_sentence(lab: Lab) -> None:
    created(lab, columns="a string, b int")
    with pytest.raises(QueryFailedError, match="NOT_SUPPORTED: Reading b from CSV as int; declare it as string"):
        lab.query("SELECT a FROM c")
    lab.empty()
    created(lab)
    with pytest.raises(QueryFailedError, match="NOT_SUPPORTED: INSERT INTO c, a table of CSV"):
        lab.query("INSERT INTO c VALUES ('a', 'b')")
    put(lab, "c/1.csv.bz2", b"any")
    with pytest.raises(
        QueryFailedError, match=r"NOT_SUPPORTED: Reading s3://lake-bucket/c/1\.csv\.bz2; compress it with"
    ):
        lab.query("SELECT a FROM c")
    lab.run("ALTER TABLE c SET TBLPROPERTIES ('skip.footer.line.count' = '1')")
    with pytest.raises(QueryFailedError, match=r"NOT_SUPPORTED: The property skip\.footer\.line\.count"):
        lab.query("SELECT a FROM c")
    lab.run("ALTER TABLE c SET TBLPROPERTIES ('skip.footer.line.count' = '0', 'projection.enabled' = 'true')")
    with pytest.raises(QueryFailedError, match=r"NOT_SUPPORTED: Partition projection of table music\.c; add its"):
        lab.query("SELECT a FROM c")
    lab.run("ALTER TABLE c SET TBLPROPERTIES ('projection.enabled' = 'false')")
    lab.run(f"CREATE EXTERNAL TABLE t (a string) LOCATION 's3://{LAKE}/t/'")
    with pytest.raises(
        QueryFailedError, match=r"NOT_SUPPORTED: Reading table music\.t with the SerDe .*LazySimpleSerDe"
    ):
        lab.query("SELECT a FROM t")
    lab.run("ALTER TABLE c SET TBLPROPERTIES ('skip.header.line.count' = 'x')")
    with pytest.raises(QueryFailedError, match="HIVE_INVALID_METADATA: Invalid value for skip"):
        lab.query("SELECT a FROM c")
