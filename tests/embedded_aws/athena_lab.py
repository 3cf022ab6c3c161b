"""An embedded Athena with a database, a bucket of data and a workgroup."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from embedded_aws import EmbeddedAws
from embedded_aws.iam.credentials import AwsCredentials

DATABASE, WORKGROUP, LAKE, RESULTS = "music", "analysts", "lake-bucket", "results-bucket"


class QueryFailedError(Exception):
    """A query that failed or was not accepted, with Athena's reason."""


class Lab:
    """An embedded AWS with a database and a workgroup, and calls that the tests share."""

    def __init__(self, folder: Path) -> None:
        self._aws = EmbeddedAws(folder, start=datetime.now(UTC))
        self.server = self._aws.server

    def __enter__(self) -> Self:
        self._aws.start()
        self.empty()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._aws.stop()

    def empty(self) -> None:
        """Reset to an empty database, empty buckets and a new workgroup; users stay."""
        for service in ("s3", "glue", "athena"):
            self.server.backend(service).reset()
        for bucket in (LAKE, RESULTS):
            self.client("s3").create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": self.server.region}
            )
        self.client("glue").create_database(DatabaseInput={"Name": DATABASE})
        configuration = {
            "EnforceWorkGroupConfiguration": True,
            "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/answers/"},
        }
        self.client("athena").create_work_group(Name=WORKGROUP, Configuration=configuration)

    def client(self, service: str, credentials: AwsCredentials | None = None) -> Any:
        return self.server.client(service, credentials)

    def table(self, name: str, columns: Mapping[str, str], keys: Sequence[str] = ("dt",)) -> None:
        """Register a table of Parquet files under tables/<name>/."""
        self.client("glue").create_table(DatabaseName=DATABASE, TableInput=self._table_input(name, columns, keys))

    def columns(self, name: str, columns: Mapping[str, str], keys: Sequence[str] = ("dt",)) -> None:
        """Change a table's columns."""
        self.client("glue").update_table(DatabaseName=DATABASE, TableInput=self._table_input(name, columns, keys))

    def partition(self, table: str, *values: str, keys: Sequence[str] = ("dt",)) -> None:
        """Register a partition."""
        folder = "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
        descriptor = _descriptor({}, f"s3://{LAKE}/tables/{table}/{folder}/")
        self.client("glue").create_partition(
            DatabaseName=DATABASE,
            TableName=table,
            PartitionInput={"Values": list(values), "StorageDescriptor": descriptor},
        )

    def put(self, key: str, columns: Mapping[str, Any]) -> None:
        """Write a Parquet object: arrays, or lists of values."""
        content = io.BytesIO()
        pq.write_table(pa.table(dict(columns)), content)
        self.client("s3").put_object(Bucket=LAKE, Key=key, Body=content.getvalue())

    def run(
        self,
        sql: str,
        *,
        parameters: Sequence[str] = (),
        database: str = DATABASE,
        credentials: AwsCredentials | None = None,
    ) -> dict[str, Any]:
        """Run a statement to its end and return its QueryExecution, failed or not."""
        athena = self.client("athena", credentials)
        given = {"ExecutionParameters": list(parameters)} if parameters else {}
        try:
            query = athena.start_query_execution(
                QueryString=sql, WorkGroup=WORKGROUP, QueryExecutionContext={"Database": database}, **given
            )["QueryExecutionId"]
        except athena.exceptions.InvalidRequestException as error:
            raise QueryFailedError(f"SYNTAX_ERROR: {error.response['Error']['Message']}") from error
        return self.ended(query)

    def ended(self, query: str) -> dict[str, Any]:
        """Wait for the end of a query and return its QueryExecution."""
        return ended(self.client("athena"), query)

    def query(self, sql: str, **options: Any) -> list[tuple[str | None, ...]]:
        """Run a query and return its rows without the header, read page by page."""
        return self.pages(self.run(sql, **options))[1:]

    def pages(self, execution: dict[str, Any], size: int = 1000) -> list[tuple[str | None, ...]]:
        """Return all rows of a query through GetQueryResults."""
        if execution["Status"]["State"] != "SUCCEEDED":
            raise QueryFailedError(execution["Status"]["StateChangeReason"])
        pages = self.client("athena").get_paginator("get_query_results")
        return [
            tuple(field.get("VarCharValue") for field in row["Data"])
            for page in pages.paginate(
                QueryExecutionId=execution["QueryExecutionId"], PaginationConfig={"PageSize": size}
            )
            for row in page["ResultSet"]["Rows"]
        ]

    def _table_input(self, name: str, columns: Mapping[str, str], keys: Sequence[str]) -> dict[str, Any]:
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"classification": "parquet"},
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
            "StorageDescriptor": _descriptor(columns, f"s3://{LAKE}/tables/{name}/"),
        }


def ended(athena: Any, query: str) -> dict[str, Any]:
    """Wait for the end of a query and return its QueryExecution."""
    while True:
        execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        if execution["Status"]["State"] not in {"QUEUED", "RUNNING"}:
            return execution


def _descriptor(columns: Mapping[str, str], location: str) -> dict[str, Any]:
    return {
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns.items()],
        "Location": location,
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }
