"""The layout of the buckets: the keys, prefixes and metadata names that writers and readers share.

No other module builds a key, and no user text is ever part of one.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import quote, unquote

RAW_PREFIX = "raw/"
RAW_SUFFIX = ".jsonl.gz"
RUNS_PREFIX = "runs/"
RUNS_SUFFIX = ".json"
STATE_PREFIX = "state/"
TABLES_PREFIX = "tables/"
OUTPUTS_PREFIX = "outputs/"
COMPACTIONS_PREFIX = "compactions/"
LOGIN_STATE_KEY = f"{STATE_PREFIX}login.json"
"""The extractor's record of the account that the current login belongs to."""
LOCKS_STATE_KEY = f"{STATE_PREFIX}locks.json"
"""The extractor's record of the quota groups that Spotify has locked."""

# S3 user metadata of a raw object: available even if none of its lines can be parsed.
READ_ID_METADATA = "read-id"
ACCOUNT_ID_METADATA = "account-id"
LINES_METADATA = "lines"

_UNQUOTED = "".join(map(chr, range(33, 127))).replace("%", "")

_RUN_ID = re.compile(r"(?P<time>\d{8}T\d{6}Z)-(?P<trigger>daily|hourly|manual|import)")
_RAW_KEY = re.compile(
    r"raw/(?P<stream>[a-z_]+)/dt=(?P<dt>\d{4}-\d{2}-\d{2})/"
    r"(?P<run_id>\d{8}T\d{6}Z-(?:daily|hourly|manual|import))(?:-(?P<unit>[A-Za-z0-9]+))?-(?P<part>\d{5})\.jsonl\.gz"
)
_ORIGINAL_NAME = re.compile(
    r"(?:[a-z_]+-\d{8}T\d{6}Z-(?:daily|hourly|manual|import)(?:-[A-Za-z0-9]+)?-(?:\d{3}|\d{5})|foreign-[0-9a-f]{32})"
    r"\.parquet"
)
_COMPACTED_NAME = re.compile(r"compacted-[0-9a-f]{16}\.parquet")
_TABLE_KEY = re.compile(rf"{TABLES_PREFIX}(?P<table>\w+)/\w+=(?P<partition>[^/]+)/[^/]+")
_COMPACTION_KEY = re.compile(rf"{COMPACTIONS_PREFIX}(?P<table>\w+)/(?P<partition>[^/]+)\.json")
_MANIFEST_KEY = re.compile(
    r"runs/dt=(?P<dt>\d{4}-\d{2}-\d{2})/"
    r"(?P<run_id>\d{8}T\d{6}Z-(?:daily|hourly|manual|import))-(?P<attempt>\d{3})\.json"
)


class ForeignKeyError(ValueError):
    """A key or id that is not in this project's format."""


@dataclass(frozen=True)
class RawKey:
    """The parts of a raw object's key."""

    stream: str
    run_id: str
    part: int
    unit: str = ""

    def __str__(self) -> str:
        """Return the key: `raw/<stream>/dt=YYYY-MM-DD/<run_id>[-<unit>]-<part:05d>.jsonl.gz`."""
        return f"{RAW_PREFIX}{self.stream}/dt={run_date(self.run_id)}/{self.stem}{RAW_SUFFIX}"

    @property
    def stem(self) -> str:
        """The file name without its suffix; unique within a stream and a day."""
        unit = f"-{self.unit}" if self.unit else ""
        return f"{self.run_id}{unit}-{self.part:05d}"

    @classmethod
    def parse(cls, key: str) -> RawKey:
        """Parse a key.

        Raises:
            ForeignKeyError: the key is not one of ours.
        """
        match = _RAW_KEY.fullmatch(key)
        if match is None or match["dt"] != str(run_date(match["run_id"])):
            raise ForeignKeyError(f"{key!r} is not the key of a raw object")
        return cls(match["stream"], match["run_id"], int(match["part"]), match["unit"] or "")


@dataclass(frozen=True)
class ManifestKey:
    """The parts of a run manifest's key."""

    run_id: str
    attempt: int

    def __str__(self) -> str:
        """Return the key: `runs/dt=YYYY-MM-DD/<run_id>-<attempt:03d>.json`."""
        return f"{RUNS_PREFIX}dt={run_date(self.run_id)}/{self.stem}{RUNS_SUFFIX}"

    @property
    def stem(self) -> str:
        """The file name without its suffix."""
        return f"{self.run_id}-{self.attempt:03d}"

    @classmethod
    def parse(cls, key: str) -> ManifestKey:
        """Parse a key.

        Raises:
            ForeignKeyError: the key is not one of ours.
        """
        match = _MANIFEST_KEY.fullmatch(key)
        if match is None or match["dt"] != str(run_date(match["run_id"])):
            raise ForeignKeyError(f"{key!r} is not the key of a run manifest")
        return cls(match["run_id"], int(match["attempt"]))


def run_id(scheduled: datetime, trigger: str) -> str:
    """Return the id of a run, such as `20261123T060000Z-daily`, from its scheduled time and its trigger."""
    made = f"{scheduled.astimezone(UTC):%Y%m%dT%H%M%SZ}-{trigger}"
    if _RUN_ID.fullmatch(made) is None:
        raise ForeignKeyError(f"{trigger!r} is not a trigger of a run")
    return made


def run_time(run: str) -> datetime:
    """Return the scheduled time in a run id, in UTC.

    Raises:
        ForeignKeyError: the id is not one of ours.
    """
    match = _RUN_ID.fullmatch(run)
    if match is None:
        raise ForeignKeyError(f"{run!r} is not the id of a run")
    try:
        return datetime.fromisoformat(match["time"])
    except ValueError as error:
        raise ForeignKeyError(f"{run!r} is not the id of a run") from error


def run_in(key: str) -> str | None:
    """Return the id of the run in a key of either bucket; None if it has none, or none that is ours."""
    match = _RUN_ID.search(key.rpartition("/")[2])
    try:
        return match[0] if match and run_time(match[0]) else None
    except ForeignKeyError:
        return None


def run_date(run: str) -> date:
    """Return the UTC date of a run: the `dt` of everything it writes."""
    return run_time(run).date()


def account_key(account_id: str) -> str:
    """Return the name of an account in keys: the start of a SHA-256, since an id may be any text."""
    return hashlib.sha256(account_id.encode()).hexdigest()[:16]


def state_key(account_id: str, stream: str) -> str:
    """Return the key of the extractor's state of one stream and account."""
    return f"{STATE_PREFIX}{account_key(account_id)}/{stream}.json"


def written(moment: datetime) -> str:
    """Return a time in the format of manifests, state and raw lines: `2026-11-23T06:00:00.000Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def parse_time(text: object) -> datetime | None:
    """Parse an ISO 8601 text with an offset, as `written`, Spotify and AWS make them; None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def raw_metadata(read_id: str, account_id: str, lines: int) -> dict[str, str]:
    """Return the S3 metadata of a raw object; an account id may be any text, but S3 accepts ASCII only."""
    return {
        READ_ID_METADATA: read_id,
        ACCOUNT_ID_METADATA: quote(account_id, safe=_UNQUOTED),
        LINES_METADATA: str(lines),
    }


def account_in(metadata: Mapping[str, str]) -> str | None:
    """Return the account id in the metadata of a raw object."""
    quoted = metadata.get(ACCOUNT_ID_METADATA)
    return None if quoted is None else unquote(quoted)


def table_prefix(table: str) -> str:
    """Return the folder of a table in the transformed bucket, which is also its Glue location."""
    return f"{TABLES_PREFIX}{table}/"


def table_key(table: str, partition_key: str, partition: str, stream: str, stem: str) -> str:
    """Return the key of the Parquet object of a raw object or a manifest (stream `runs`) in one table and partition."""
    return f"{partition_prefix(table, partition_key, partition)}{stream}-{stem}.parquet"


def output_of(key: str) -> tuple[str, str]:
    """Return stream and stem in the keys of the Parquet objects that an object of the raw bucket becomes.

    Those of an object that this project did not write have a hash of its key, which may be any text.
    """
    try:
        if key.startswith(RUNS_PREFIX):
            return "runs", ManifestKey.parse(key).stem
        parsed = RawKey.parse(key)
    except ForeignKeyError:
        return "foreign", hashlib.sha256(key.encode()).hexdigest()[:32]
    return parsed.stream, parsed.stem


def partition_prefix(table: str, partition_key: str, partition: str) -> str:
    """Return the folder of a partition in the transformed bucket."""
    return f"{table_prefix(table)}{partition_key}={partition}/"


def folder_in(key: str) -> str:
    """Return the name of the folder that an object is in, such as `month=2026-11`."""
    return key.rpartition("/")[0].rpartition("/")[2]


def compacted_key(table: str, partition_key: str, partition: str, digest: str) -> str:
    """Return the key of the one Parquet object that others of a partition become; `digest` has 16 hex digits."""
    return f"{partition_prefix(table, partition_key, partition)}compacted-{digest}.parquet"


def compaction_key(table: str, partition: str) -> str:
    """Return the key of the record of a partition's compaction."""
    return f"{COMPACTIONS_PREFIX}{table}/{partition}.json"


def partition_in(key: str) -> tuple[str, str] | None:
    """Return table and partition of an object of the tables; None for any other key."""
    match = _TABLE_KEY.fullmatch(key)
    return (match["table"], match["partition"]) if match else None


def compaction_in(key: str) -> tuple[str, str] | None:
    """Return table and partition of the record of a compaction; None for any other key."""
    match = _COMPACTION_KEY.fullmatch(key)
    return (match["table"], match["partition"]) if match else None


def is_of_run_before(moment: datetime, key: str, partition: str) -> bool:
    """Return whether an object of either bucket is of a run before a moment; one of no run counts by its partition.

    Args:
        moment: the moment.
        key: the object's key.
        partition: the day, month or year of the partition that its rows are in, which counts from its first day.
    """
    run = run_in(key)
    if run is not None:
        return run_time(run) < moment
    return f"{partition}-01-01"[: len("YYYY-MM-DD")] < f"{moment.astimezone(UTC):%Y-%m-%d}"


def is_original(name: str) -> bool:
    """Return whether the transform gives a Parquet object such a file name."""
    return _ORIGINAL_NAME.fullmatch(name) is not None


def is_compacted(name: str) -> bool:
    """Return whether a compaction gives a Parquet object such a file name."""
    return _COMPACTED_NAME.fullmatch(name) is not None


def outputs_key(key: str) -> str:
    """Return the key of the transform's record of the outputs of a raw object or a manifest."""
    return f"{OUTPUTS_PREFIX}{key}.json"
