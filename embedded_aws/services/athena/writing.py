"""Running statements that write: their files and partitions appear together, or not at all.

Source: https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from embedded_aws.services.athena import catalog_changes
from embedded_aws.services.athena.catalog import CallerCatalog, CatalogTable
from embedded_aws.services.athena.errors import QueryError, not_supported
from embedded_aws.services.athena.formats import PARQUET
from embedded_aws.services.athena.loaded_table import quoted
from embedded_aws.services.athena.sql.lengths import UNKNOWN
from embedded_aws.services.athena.types import SqlType, from_hive
from embedded_aws.services.athena.views import is_view
from embedded_aws.services.athena.warehouse import QueryColumns, QueryRows, QuerySession, checked_names
from embedded_aws.services.athena.written import FileFormat, Insertion, TableCreation, Unloading
from embedded_aws.services.athena.written_files import WrittenFile, check_keys, files_of, folder

_LONGEST_VARCHAR = 65535
"""Hive has no varchar beyond it."""

_SUFFIXES = {"JSON": ".gz", "TEXTFILE": ".gz"}
_NUMBERS = {"tinyint", "smallint", "integer", "bigint", "decimal", "real", "double"}
_MOMENTS = {"date", "timestamp", "timestamp with time zone"}


@dataclass(frozen=True)
class Destination:
    """Where a statement writes."""

    identifier: str
    """Of the query."""
    results: str
    """The folder of results, without a final slash."""


@dataclass(frozen=True)
class PendingWrite:
    """What a statement will write, once `commit` is called."""

    count: int
    """How many rows."""
    scanned: int
    addresses: tuple[str, ...]
    """The S3 URIs of its files."""
    commit: Callable[[], None]
    """Writes all of it.

    Raises:
        QueryError: it cannot be written; then nothing of it is left.
    """


@dataclass(frozen=True)
class Statement:
    """What all statements run with."""

    database: str
    """Of unqualified names."""
    parameters: Sequence[str]
    catalog: CallerCatalog
    session: QuerySession


def create_table(
    creation: TableCreation, name: tuple[str, str], given: Statement, destination: Destination
) -> PendingWrite:
    """Run CREATE TABLE AS.

    Args:
        creation: the statement.
        name: database and name of the table.
        given: what it runs with.
        destination: where it writes unless it says so.

    Raises:
        QueryError: it fails.
    """
    catalog = given.catalog
    catalog.require_database(name[0])
    if _exists(catalog, name):
        if creation.if_missing:
            return PendingWrite(0, 0, (), lambda: None)
        raise catalog_changes.table_exists(*name)
    catalog_changes.check_creation(catalog, *name, partitioned=bool(creation.keys))
    columns = given.session.described(creation.query, given.database, given.parameters, catalog)
    names = checked_names(columns.names)
    _check_partitions(names, creation.keys)
    hive = _hive_types(names, columns)
    kinds = list(zip(names, (from_hive(kind) for kind in hive), strict=True))
    count = len(names) - len(creation.keys)
    check_keys(kinds[count:])
    location = creation.location or f"{destination.results}/tables/{destination.identifier}"
    check = partial(_check_empty, catalog, location, f"{name[0]}.{name[1]}")
    check()
    table = _table_input(name[1], list(zip(names, hive, strict=True)), count, location, creation.format, destination)
    rows = _rows(creation, given) if creation.with_data else None
    files = [] if rows is None else files_of(rows.rows, kinds, creation.keys, creation.format)
    objects = {_address(location, creation.keys, one, destination, creation.format): one.content for one in files}
    partitions = [
        catalog_changes.partition_input(
            table, one.values, f"{location.rstrip('/')}/{folder(creation.keys, one.values)}"
        )
        for one in files
        if creation.keys
    ]
    _check_objects(catalog, objects)
    register = partial(catalog_changes.create_table, catalog, name[0], table, partitions)
    return PendingWrite(
        0 if rows is None else rows.rows.num_rows,
        0 if rows is None else rows.scanned,
        tuple(objects),
        partial(_commit, catalog, objects, register, check),
    )


def insert(insertion: Insertion, name: tuple[str, str], given: Statement, destination: Destination) -> PendingWrite:
    """Run INSERT INTO.

    Raises:
        QueryError: it fails.
    """
    catalog = given.catalog
    raw = catalog.get_table(*name)
    if is_view(raw):
        raise QueryError("NOT_SUPPORTED", "Inserting into views is not supported")
    found = catalog.find(*name)
    if not isinstance(found, CatalogTable):
        raise not_supported(f"INSERT INTO {name[1]}, which is no table")
    if found.csv is not None:
        raise not_supported(f"INSERT INTO {name[1]}, a table of CSV")
    targets = [*found.columns, *found.partition_keys]
    check_keys(found.partition_keys)
    chosen = _chosen(insertion, targets)
    described = given.session.described(insertion.query, given.database, given.parameters, catalog)
    _check_types([kind for _, kind in chosen], described.kinds)
    query = _assigned(insertion.query, chosen, described.kinds, targets)
    rows = given.session.rows(query, given.database, given.parameters, catalog)
    content = _fitted(rows.rows, targets, found.lengths)
    keys = [key for key, _ in found.partition_keys]
    form = FileFormat("PARQUET", str(raw.get("Parameters", {}).get("parquet.compression", "GZIP")))
    files = files_of(content, targets, keys, form)
    locations = {one.values: f"s3://{one.bucket}/{one.prefix}".rstrip("/") for one in catalog.partitions(found)}
    objects: dict[str, bytes] = {}
    added = []
    for one in files:
        location = locations.get(one.values)
        if location is None:
            location = f"{found.location.rstrip('/')}/{folder(keys, one.values)}"
            added.append(catalog_changes.partition_input(raw, one.values, location))
        objects[f"{location}/{_file_name(destination, form)}"] = one.content
    _check_objects(catalog, objects)
    if added:
        catalog.caller.check_table("BatchCreatePartition", *name)
    register = partial(catalog_changes.add_partitions, catalog, *name, added) if added else _nothing
    return PendingWrite(rows.rows.num_rows, rows.scanned, tuple(objects), partial(_commit, catalog, objects, register))


def unload(unloading: Unloading, given: Statement, destination: Destination) -> PendingWrite:
    """Run UNLOAD.

    Raises:
        QueryError: it fails.
    """
    catalog = given.catalog
    columns = given.session.described(unloading.query, given.database, given.parameters, catalog)
    names = checked_names(columns.names)
    _check_partitions(names, unloading.keys)
    kinds = list(zip(names, (from_hive(kind) for kind in _hive_types(names, columns, of_table=False)), strict=True))
    check_keys(kinds[len(names) - len(unloading.keys) :])
    check = partial(_check_empty, catalog, unloading.location, "unload")
    check()
    rows = _rows(unloading, given)
    files = files_of(rows.rows, kinds, unloading.keys, unloading.format)
    objects = {
        _address(unloading.location, unloading.keys, one, destination, unloading.format): one.content for one in files
    }
    _check_objects(catalog, objects)
    commit = partial(_commit, catalog, objects, _nothing, check)
    return PendingWrite(rows.rows.num_rows, rows.scanned, tuple(objects), commit)


def _exists(catalog: CallerCatalog, name: tuple[str, str]) -> bool:
    try:
        catalog.get_table(*name)
    except QueryError as error:
        if error.code != "TABLE_NOT_FOUND":
            raise
        return False
    return True


def _rows(statement: TableCreation | Unloading, given: Statement) -> QueryRows:
    return given.session.rows(statement.query, given.database, given.parameters, given.catalog)


def _check_partitions(names: Sequence[str], keys: Sequence[str]) -> None:
    missing = [key for key in keys if key not in names]
    if missing:
        raise QueryError("INVALID_TABLE_PROPERTY", f"Partition columns [{', '.join(missing)}] not present in schema")
    if keys and len(keys) == len(names):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    if list(names[len(names) - len(keys) :]) != list(keys):
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the table properties:"
            f" [{', '.join(keys)}]",
        )


def _hive_types(names: Sequence[str], columns: QueryColumns, *, of_table: bool = True) -> list[str]:
    """Return the types of columns in the catalog.

    Raises:
        QueryError: Hive has none, or it is not known.
    """
    if columns.text.has_other_precision:
        raise QueryError(
            "NOT_SUPPORTED",
            "Incorrect timestamp precision; the configured precision is MILLISECONDS: write timestamps with three"
            " digits after the seconds",
        )
    types = []
    for name, kind, length in zip(names, columns.kinds, columns.text.lengths, strict=True):
        if kind.name == "unknown":
            raise QueryError("COLUMN_TYPE_UNKNOWN", f"line 1:1: Column type is unknown: {name}")
        hive = kind.hive
        if of_table and length == UNKNOWN and "string" in hive:
            raise not_supported(f"The length of the text in column {name}; cast the text to varchar")
        is_limited = kind.name == "varchar" and length is not None and 0 < length <= _LONGEST_VARCHAR
        types.append(f"varchar({length})" if is_limited else hive)
    return types


def _check_empty(catalog: CallerCatalog, location: str, what: str) -> None:
    """Check that nothing is at a location yet.

    Raises:
        QueryError: something is, or the location is invalid.
        AccessError: the caller may not look.
    """
    address = urlsplit(location)
    if address.scheme != "s3" or not address.netloc:
        raise QueryError("INVALID_TABLE_PROPERTY", f"External location is not a valid file system URI: {location}")
    buckets = catalog.server.backend("s3").buckets
    if address.netloc not in buckets:
        raise QueryError("HIVE_METASTORE_ERROR", f"The specified bucket does not exist: {address.netloc}")
    prefix = f"{address.path.strip('/')}/".lstrip("/")
    catalog.caller.check_bucket("GetBucketLocation", address.netloc)
    catalog.caller.check_bucket("ListBucket", address.netloc, {"s3:prefix": prefix})
    keys = buckets[address.netloc].keys
    if any(key.startswith(prefix) and hasattr(keys[key], "etag") for key in list(keys)):
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", f"Target directory for table '{what}' already exists: {location}")


def _table_input(
    name: str,
    columns: Sequence[tuple[str, str]],
    count: int,
    location: str,
    form: FileFormat,
    destination: Destination,
) -> dict[str, Any]:
    described = [{"Name": column, "Type": kind} for column, kind in columns]
    return {
        "Name": name,
        "Owner": "hadoop",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": described[count:],
        "Parameters": {
            "EXTERNAL": "TRUE",
            "auto.purge": "false",
            "has_encrypted_data": "false",
            "numFiles": "-1",
            "parquet.compression": form.compression,
            "totalSize": "-1",
            "transactional": "false",
            "trino_query_id": _query_name(destination),
        },
        "StorageDescriptor": {
            "Columns": described[:count],
            "Location": location,
            "InputFormat": PARQUET.reader,
            "OutputFormat": PARQUET.writer,
            "Compressed": False,
            "NumberOfBuckets": 0,
            "SerdeInfo": {"SerializationLibrary": PARQUET.serde, "Parameters": {}},
            "SortColumns": [],
            "StoredAsSubDirectories": False,
        },
    }


def _query_name(destination: Destination) -> str:
    return f"{datetime.now(UTC):%Y%m%d_%H%M%S}_00000_{destination.identifier[:5]}"


def _file_name(destination: Destination, form: FileFormat) -> str:
    suffix = _SUFFIXES.get(form.name, "") if form.compression == "GZIP" else ""
    return f"{_query_name(destination)}_{uuid.uuid4()}{suffix}"


def _address(location: str, keys: Sequence[str], file: WrittenFile, destination: Destination, form: FileFormat) -> str:
    below = f"{folder(keys, file.values)}/" if keys else ""
    return f"{location.rstrip('/')}/{below}{_file_name(destination, form)}"


def _check_objects(catalog: CallerCatalog, objects: dict[str, bytes]) -> None:
    for bucket, key in map(_place, objects):
        if bucket not in catalog.server.backend("s3").buckets:
            raise QueryError("HIVE_METASTORE_ERROR", f"The specified bucket does not exist: {bucket}")
        catalog.caller.check_object("PutObject", bucket, key)


def _nothing() -> None:
    pass


def _commit(
    catalog: CallerCatalog,
    objects: dict[str, bytes],
    register: Callable[[], Any],
    check: Callable[[], None] = _nothing,
) -> None:
    """Write objects, then let the catalog show them; what fails leaves nothing.

    Args:
        catalog: the catalog.
        objects: address → content.
        register: changes the catalog.
        check: raises an error if another statement was faster: no other one commits meanwhile.
    """
    check()
    s3 = catalog.server.backend("s3")
    written: list[tuple[str, str]] = []
    try:
        for address, content in objects.items():
            bucket, key = _place(address)
            s3.put_object(bucket, key, content)
            written.append((bucket, key))
        register()
    except Exception:
        for bucket, key in written:
            s3.delete_object(bucket, key)
        raise


def _place(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix("s3://").partition("/")
    return bucket, key


def _chosen(insertion: Insertion, targets: Sequence[tuple[str, SqlType]]) -> list[tuple[str, SqlType]]:
    """Return the columns that get values, in the order of the statement."""
    if insertion.columns is None:
        return list(targets)
    known = dict(targets)
    for column in insertion.columns:
        if column not in known:
            raise QueryError(
                "COLUMN_NOT_FOUND", f"line 1:1: Insert column name does not exist in target table: {column}"
            )
        if insertion.columns.count(column) > 1:
            raise QueryError(
                "DUPLICATE_COLUMN_NAME", f"line 1:1: Insert column name is specified more than once: {column}"
            )
    return [(column, known[column]) for column in insertion.columns]


def _check_types(wanted: Sequence[SqlType], given: Sequence[SqlType]) -> None:
    pairs = zip(wanted, given, strict=False)
    if len(wanted) != len(given) or not all(_assignable(target, kind) for target, kind in pairs):
        ours, theirs = (", ".join(kind.trino for kind in kinds) for kinds in (wanted, given))
        raise QueryError(
            "TYPE_MISMATCH",
            f"line 1:1: Insert query has mismatched column types: Table: [{ours}], Query: [{theirs}]",
        )


def _assignable(target: SqlType, kind: SqlType) -> bool:
    """Return whether a value is stored in a column of a type: as it is, or cast within a family of types."""
    return (
        kind.name == "unknown"
        or kind.trino == target.trino
        or any({target.name, kind.name} <= family for family in (_NUMBERS, _MOMENTS))
    )


def _assigned(
    query: str, chosen: Sequence[tuple[str, SqlType]], kinds: Sequence[SqlType], targets: Sequence[tuple[str, SqlType]]
) -> str:
    """Return the query of a table's columns from that of those chosen: cast, in order, NULL where none is given."""
    places = {column: place for place, (column, _) in enumerate(chosen)}
    shown = []
    for column, target in targets:
        place = places.get(column)
        if place is None or kinds[place].name == "unknown":
            shown.append(f"CAST(NULL AS {target.trino}) AS {quoted(column)}")
            continue
        value = quoted(f"value{place}")
        cast = value if kinds[place].trino == target.trino else f"CAST({value} AS {target.trino})"
        shown.append(f"{cast} AS {quoted(column)}")
    names = ", ".join(quoted(f"value{place}") for place in range(len(chosen)))
    return f"SELECT {', '.join(shown)} FROM ({query}\n) AS assigned ({names})"  # noqa: S608 - quoted, and checked by the parser


def _fitted(rows: pa.Table, targets: Sequence[tuple[str, SqlType]], lengths: dict[str, int]) -> pa.Table:
    """Return rows whose text fits into its columns: spaces at the end may be cut off, nothing else.

    Raises:
        QueryError: a text is too long.
    """
    for place, (column, _) in enumerate(targets):
        limit = lengths.get(column)
        if limit is None:
            continue
        texts = rows.column(place)
        if any(one is not None and one[limit:].strip(" ") for one in texts.to_pylist()):
            raise QueryError(
                "INVALID_CAST_ARGUMENT",
                f"Cannot truncate non-space characters when casting from varchar to varchar({limit}) on INSERT",
            )
        rows = rows.set_column(place, column, pc.utf8_slice_codeunits(texts, 0, limit))
    return rows
