"""One crawl: updating the Glue Data Catalog from the objects in S3, with the permissions of the crawler's role.

Sources: https://docs.aws.amazon.com/glue/latest/dg/crawler-configuration.html,
https://docs.aws.amazon.com/glue/latest/dg/crawler-schema-changes-prevent.html
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError
from moto.glue.models import FakeCrawler

from embedded_aws.iam.credentials import AwsCredentials
from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.types import UnknownTypeError
from embedded_aws.services.glue.classification import HEAD_BYTES, other_format
from embedded_aws.services.glue.crawl_folders import (
    FoundTable,
    StoredObject,
    is_excluded,
    is_hidden,
    table_name,
    tables_at_level,
    tables_by_schema,
)
from embedded_aws.services.glue.parquet_types import hive_types

INPUT_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
OUTPUT_FORMAT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
_FORM = {"classification": "parquet", "compressionType": "none"}
"""Parameters that an existing table must share with those the crawler creates."""

_FOOTER_BYTES = 1 << 16
"""Bytes read at first from the end of a file."""

_BATCH = 100


class CrawlError(Exception):
    """A crawl that fails as a whole."""


@dataclass(frozen=True)
class Footer:
    """What a crawler reads of a Parquet file."""

    columns: dict[str, str]
    """Name → Hive type."""

    rows: int


FooterCache = dict[tuple[str, str, str], Footer]
"""Bucket, key and ETag → footer."""


@dataclass
class CrawlResult:
    """What a crawl changed in the catalog, and its log."""

    tables_created: int = 0
    tables_updated: int = 0
    partitions_created: int = 0
    partitions_updated: int = 0
    log: list[str] = field(default_factory=list)


class Crawl:
    """One run of a crawler over all its targets.

    Args:
        server: the AWS server.
        crawler: moto's crawler.
        credentials: credentials of the crawler's role.
        footers: footers from earlier crawls; this one adds its own.
    """

    def __init__(
        self, server: AwsServer, crawler: FakeCrawler, credentials: AwsCredentials, footers: FooterCache
    ) -> None:
        self._server = server
        self._crawler = crawler
        self._credentials = credentials
        self._footers = footers
        self._s3 = server.client("s3", credentials)
        self._glue = server.client("glue", credentials)
        self._settings = _Settings.of(crawler)
        self.result = CrawlResult()
        """Changes so far, even if the crawl fails half-way."""

    def run(self) -> None:
        """Crawl all targets and update `result`.

        Raises:
            CrawlError: the role lacks a permission, or the crawler's configuration is not modelled.
        """
        names: dict[str, str] = {}
        try:
            self._glue.get_database(Name=self._crawler.database_name)
            for target in _s3_targets(self._crawler):
                bucket, include_path = _location(target["Path"])
                for table in self._tables(bucket, include_path, target):
                    location = f"s3://{bucket}/{table.folder}"
                    name = table_name(table.folder, bucket, self._crawler.table_prefix or "")
                    if names.setdefault(name, location) != location:
                        name = f"{name}_{hashlib.md5(location.encode(), usedforsecurity=False).hexdigest()}"
                    self._write(name, location, bucket, table, target.get("SampleSize"))
        except ClientError as error:
            raise CrawlError(str(error)) from error

    def _tables(self, bucket: str, include_path: str, target: Mapping[str, Any]) -> list[FoundTable]:
        objects = [
            stored
            for stored in self._listed(bucket, include_path)
            if stored.size and not is_excluded(stored.key, include_path, target.get("Exclusions") or [])
        ]
        objects = [stored for stored in objects if not is_hidden(stored.key, include_path)]
        level = self._settings.table_level
        if level is not None:
            tables, warnings = tables_at_level(objects, level)
        else:
            parquet = [stored for stored in objects if self._footer(bucket, stored) is not None]
            tables, warnings = tables_by_schema(
                parquet, include_path, lambda stored: self._columns(bucket, stored), combine=self._settings.combine
            )
        self.result.log += warnings
        return tables

    def _listed(self, bucket: str, prefix: str) -> Iterator[StoredObject]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                yield StoredObject(item["Key"], item["Size"], item["ETag"])

    def _footer(self, bucket: str, stored: StoredObject) -> Footer | None:
        """Return the footer of an object; None, with a line in the log, if Glue would not recognize its format.

        Raises:
            CrawlError: it would, and it is not Parquet.
        """
        known = self._footers.get((bucket, stored.key, stored.etag))
        if known is not None:
            arn = f"arn:aws:s3:::{bucket}/{stored.key}"
            self._server.authorization.check(self._credentials.access_key_id, "s3:GetObject", arn)
            return known
        try:
            footer = self._read_footer(bucket, stored)
        except (pa.ArrowException, UnknownTypeError) as error:
            self._check_format(bucket, stored)
            self.result.log.append(f"s3://{bucket}/{stored.key} is not readable as Parquet: {error}")
            return None
        self._footers[bucket, stored.key, stored.etag] = footer
        return footer

    def _check_format(self, bucket: str, stored: StoredObject) -> None:
        content = self._s3.get_object(Bucket=bucket, Key=stored.key, Range=f"bytes=0-{HEAD_BYTES - 1}")
        if found := other_format(content["Body"].read()):
            raise CrawlError(
                f"The embedded AWS crawls Parquet, and s3://{bucket}/{stored.key} is {found}: exclude it, or create its"
                " table yourself."
            )

    def _read_footer(self, bucket: str, stored: StoredObject) -> Footer:
        length = min(stored.size, _FOOTER_BYTES)
        while True:
            start = stored.size - length
            content = self._s3.get_object(Bucket=bucket, Key=stored.key, Range=f"bytes={start}-{stored.size - 1}")
            tail = content["Body"].read()
            needed = int.from_bytes(tail[-8:-4], "little") + 8
            if start == 0 or needed <= length or tail[-4:] != b"PAR1":
                break
            length = min(stored.size, needed)
        with pq.ParquetFile(pa.BufferReader(tail)) as file:
            return Footer(hive_types(file), file.metadata.num_rows)

    def _columns(self, bucket: str, stored: StoredObject) -> dict[str, str]:
        footer = self._footer(bucket, stored)
        return footer.columns if footer else {}

    def _write(self, name: str, location: str, bucket: str, found: FoundTable, sample_size: int | None) -> None:
        """Create or update a table and its partitions."""
        sampled = {folder: objects[: sample_size or None] for folder, objects in found.objects.items()}
        footers = {
            folder: [footer for stored in objects if (footer := self._footer(bucket, stored))]
            for folder, objects in sampled.items()
        }
        columns: dict[str, str] = {}
        for footer in (footer for several in footers.values() for footer in several):
            for column, kind in footer.columns.items():
                if columns.setdefault(column, kind) != kind:
                    self.result.log.append(f"{name}.{column} is {columns[column]} in some files and {kind} in others.")
        columns = {column: kind for column, kind in columns.items() if column not in found.keys}
        if not columns:
            self.result.log.append(f"{location} contains no Parquet; no table created.")
            return
        statistics = _statistics(found, footers)
        table = self._upsert(name, location, found, columns, statistics)
        if table is not None and found.keys:
            self._partitions(name, bucket, found, footers, table)

    def _upsert(
        self, name: str, location: str, found: FoundTable, columns: dict[str, str], statistics: dict[str, str]
    ) -> dict[str, Any] | None:
        """Create or update the table; None if an existing one has another form and is now deprecated."""
        database = self._crawler.database_name
        wanted = self._table_input(name, location, found, columns, statistics)
        try:
            present = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            self._glue.create_table(DatabaseName=database, TableInput=wanted)
            self.result.tables_created += 1
            return wanted
        updated = self._as_input(present)
        parameters = updated.setdefault("Parameters", {})
        if difference := _difference(updated, wanted):
            self.result.log.append(
                f"Table {name} differs from what the crawler would create ({difference}): marked as deprecated."
            )
            if "DEPRECATED_BY_CRAWLER" not in parameters:
                parameters["DEPRECATED_BY_CRAWLER"] = str(int(self._crawler.crawls[-1].start_time.timestamp() * 1000))
                self._glue.update_table(DatabaseName=database, TableInput=updated)
                self.result.tables_updated += 1
            return None
        descriptor = updated["StorageDescriptor"]
        if self._settings.updates_schema:
            descriptor["Columns"] = _merged(descriptor["Columns"], columns, keep=self._settings.merges_new_columns)
        elif missing := set(columns) - {column["Name"] for column in descriptor["Columns"]}:
            self.result.log.append(
                f"Table {name} is missing {', '.join(sorted(missing))}; schema changes are only logged."
            )
        parameters |= wanted["Parameters"]
        descriptor["Parameters"] = {**descriptor.get("Parameters", {}), **wanted["Parameters"]}
        if updated != self._as_input(present):
            self._glue.update_table(DatabaseName=database, TableInput=updated)
            self.result.tables_updated += 1
        return updated

    def _table_input(
        self, name: str, location: str, found: FoundTable, columns: dict[str, str], statistics: dict[str, str]
    ) -> dict[str, Any]:
        """Return a table as the crawler creates it."""
        parameters = {
            **_FORM,
            "typeOfData": "file",
            "CrawlerSchemaSerializerVersion": "1.0",
            "CrawlerSchemaDeserializerVersion": "1.0",
            "UPDATED_BY_CRAWLER": self._crawler.name,
            **statistics,
        }
        return {
            "Name": name,
            "Owner": "owner",
            "Retention": 0,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": parameters,
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in found.keys],
            "StorageDescriptor": {
                "Columns": [{"Name": column, "Type": kind} for column, kind in columns.items()],
                "Location": location,
                "InputFormat": INPUT_FORMAT,
                "OutputFormat": OUTPUT_FORMAT,
                "Compressed": False,
                "NumberOfBuckets": -1,
                "SerdeInfo": {"SerializationLibrary": SERDE, "Parameters": {"serialization.format": "1"}},
                "BucketColumns": [],
                "SortColumns": [],
                "Parameters": parameters,
                "StoredAsSubDirectories": False,
            },
        }

    def _as_input(self, table: dict[str, Any]) -> dict[str, Any]:
        """Return a table from GetTable as the `TableInput` of UpdateTable."""
        members = self._glue.meta.service_model.shape_for("TableInput").members
        return {key: copy.deepcopy(value) for key, value in table.items() if key in members}

    def _partitions(
        self,
        name: str,
        bucket: str,
        found: FoundTable,
        footers: dict[str, list[Footer]],
        table: dict[str, Any],
    ) -> None:
        """Create missing partitions and update the columns of existing ones."""
        where = {"DatabaseName": self._crawler.database_name, "TableName": name}
        present = self._present(where, list(found.partitions))
        missing, changed = [], []
        for values, folder in found.partitions.items():
            descriptor = {**table["StorageDescriptor"], "Location": f"s3://{bucket}/{folder}"}
            if not self._settings.inherits:
                merged = {column: kind for footer in footers[folder] for column, kind in footer.columns.items()}
                descriptor["Columns"] = [{"Name": column, "Type": kind} for column, kind in merged.items()]
            statistics = _statistics(found, footers, folder)
            descriptor["Parameters"] = {**descriptor.get("Parameters", {}), **statistics}
            wanted = {
                "Values": list(values),
                "Parameters": {**_FORM, "typeOfData": "file", **statistics},
                "StorageDescriptor": descriptor,
            }
            if values not in present:
                missing.append(wanted)
            elif present[values]["StorageDescriptor"]["Columns"] != descriptor["Columns"]:
                changed.append(wanted)
        for batch in _batches(missing):
            response = self._glue.batch_create_partition(**where, PartitionInputList=batch)
            self.result.partitions_created += len(batch) - len(response.get("Errors", []))
        for wanted in changed:
            self._glue.update_partition(**where, PartitionValueList=wanted["Values"], PartitionInput=wanted)
            self.result.partitions_updated += 1

    def _present(self, where: dict[str, str], values: list[tuple[str, ...]]) -> dict[tuple[str, ...], dict[str, Any]]:
        partitions: list[Any] = []
        for batch in _batches(values):
            response = self._glue.batch_get_partition(
                **where, PartitionsToGet=[{"Values": list(partition)} for partition in batch]
            )
            partitions += response["Partitions"]
        return {tuple(partition["Values"]): partition for partition in partitions}


@dataclass(frozen=True)
class _Settings:
    """A crawler's configuration, as far as it concerns Parquet in S3."""

    table_level: int | None
    combine: bool
    inherits: bool
    merges_new_columns: bool
    updates_schema: bool

    @classmethod
    def of(cls, crawler: FakeCrawler) -> _Settings:
        """Return the settings of a crawler.

        Raises:
            CrawlError: a setting is not modelled.
        """
        content = json.loads(crawler.configuration or "{}")
        grouping = content.get("Grouping", {})
        output = content.get("CrawlerOutput", {})
        changes = crawler.schema_change_policy or {}
        recrawl = (crawler.recrawl_policy or {}).get("RecrawlBehavior", "CRAWL_EVERYTHING")
        if recrawl != "CRAWL_EVERYTHING":
            raise CrawlError(f"The embedded AWS crawls everything: {recrawl} is not modelled.")
        if changes.get("DeleteBehavior", "LOG") != "LOG":
            raise CrawlError(f"The embedded AWS only logs deletions: {changes['DeleteBehavior']} is not modelled.")
        level = grouping.get("TableLevelConfiguration")
        return cls(
            table_level=int(level) if level is not None else None,
            combine=grouping.get("TableGroupingPolicy") == "CombineCompatibleSchemas",
            inherits=output.get("Partitions", {}).get("AddOrUpdateBehavior") == "InheritFromTable",
            merges_new_columns=output.get("Tables", {}).get("AddOrUpdateBehavior") == "MergeNewColumns",
            updates_schema=changes.get("UpdateBehavior", "UPDATE_IN_DATABASE") == "UPDATE_IN_DATABASE",
        )


def _s3_targets(crawler: FakeCrawler) -> list[dict[str, Any]]:
    others = [kind for kind, targets in crawler.targets.items() if targets and kind != "S3Targets"]
    if others:
        raise CrawlError(f"The embedded AWS crawls S3 targets: {', '.join(others)} are not modelled.")
    return list(crawler.targets.get("S3Targets") or [])


def _location(path: str) -> tuple[str, str]:
    parts = urlsplit(path if "://" in path else f"s3://{path}")
    prefix = parts.path.lstrip("/")
    return parts.netloc, prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _statistics(found: FoundTable, footers: dict[str, list[Footer]], folder: str | None = None) -> dict[str, str]:
    """Return sizes in bytes and counts of the table or of one folder; rows are those of the sampled files only."""
    folders = [folder] if folder is not None else list(found.objects)
    objects = [stored for name in folders for stored in found.objects[name]]
    rows = sum(footer.rows for name in folders for footer in footers[name])
    size = sum(stored.size for stored in objects)
    return {
        "averageRecordSize": str(size // rows if rows else 0),
        "objectCount": str(len(objects)),
        "recordCount": str(rows),
        "sizeKey": str(size),
    }


def _difference(present: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Return how a table's form differs from what the crawler would create; empty if it does not."""
    ours, theirs = wanted["StorageDescriptor"], present.get("StorageDescriptor", {})
    for name, value in _FORM.items():
        if present.get("Parameters", {}).get(name) != value:
            return f"{name} is not {value}"
    for name in ("InputFormat", "OutputFormat"):
        if theirs.get(name) != ours[name]:
            return f"{name} is {theirs.get(name)}"
    if theirs.get("SerdeInfo", {}).get("SerializationLibrary") != SERDE:
        return "its SerDe is different"
    if theirs.get("Location", "").rstrip("/") != ours["Location"].rstrip("/"):
        return f"its location is {theirs.get('Location')}"
    keys = [(key["Name"], key.get("Type")) for key in present.get("PartitionKeys", [])]
    if keys != [(key["Name"], key["Type"]) for key in wanted["PartitionKeys"]]:
        return "its partition keys are different"
    return ""


def _merged(present: list[dict[str, Any]], columns: dict[str, str], *, keep: bool) -> list[dict[str, Any]]:
    """Return the columns of a table after a crawl; with `keep`, existing ones stay and new ones are appended."""
    if not keep:
        described = {column["Name"]: column for column in present}
        return [{**described.get(name, {}), "Name": name, "Type": kind} for name, kind in columns.items()]
    names = {column["Name"] for column in present}
    return present + [{"Name": name, "Type": kind} for name, kind in columns.items() if name not in names]


def _batches(items: list[Any]) -> Iterator[list[Any]]:
    for begin in range(0, len(items), _BATCH):
        yield items[begin : begin + _BATCH]
