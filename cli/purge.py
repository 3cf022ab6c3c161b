"""`spotify-etl purge`: deletes what was read from Spotify, in every version, and never the stack itself.

Spotify's terms forbid keeping its content indefinitely, and require deleting it on request:
https://developer.spotify.com/terms.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rich.console import Console

from cli.compacted_objects import EarlyRows, find_early_rows, is_compacted, still_there
from cli.compaction import run_compaction
from cli.confirmation import confirm
from cli.durations import parse_date
from cli.empty_partitions import delete_empty_partitions
from cli.errors import CommandError, StillRunningError
from cli.pipeline_functions import deployed_function
from cli.presentation import Steps, pluralize, print_line, print_tables, table
from cli.queue_messages import delete_messages, received_messages
from cli.targets import Target, aws_errors
from cli.text import quoted
from handlers import layout

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

_BATCH = 1000
"""As many versions as S3 deletes at once."""
_STOPPED = (
    "Stopped. What is deleted stays deleted, and nothing else has changed: run the same command again to continue."
)
_REMAINS = (
    "The login stays in the secret: to end it, remove the app's access at https://www.spotify.com/account/apps/.",
    "The functions' logs, which hold no titles, expire by themselves.",
)


@dataclass(frozen=True)
class Scope:
    """What is to be deleted."""

    before: datetime | None
    """Objects of runs that began before this moment; None for everything."""

    def covers(self, key: str) -> bool:
        """Return whether an object of the raw or the transformed bucket is to be deleted."""
        if self.before is None:
            return key != layout.LOCKS_STATE_KEY
        run = layout.run_in(key)
        return run is not None and layout.run_time(run) < self.before

    def is_undated(self, key: str) -> bool:
        """Return whether nothing says from when an object is, so that it is kept."""
        named = (
            layout.run_in(key) or key.startswith(layout.STATE_PREFIX) or is_compacted(key) or layout.compaction_in(key)
        )
        return self.before is not None and not named


@dataclass
class _Tally:
    """The versions of some objects."""

    keys: set[str] = field(default_factory=set)
    versions: int = 0
    size: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None

    def add(self, version: Mapping[str, Any]) -> None:
        self.keys.add(version["Key"])
        self.versions += 1
        self.size += version.get("Size", 0)
        at = version["LastModified"]
        self.oldest = min(self.oldest or at, at)
        self.newest = max(self.newest or at, at)


@dataclass(frozen=True)
class _Survey:
    """What the buckets hold."""

    chosen: dict[str, _Tally]
    """What is to be deleted, by place."""
    kept: _Tally
    undated: _Tally

    @property
    def versions(self) -> int:
        """How many versions are to be deleted."""
        return sum(tally.versions for tally in self.chosen.values())


def purge(target: Target, *, before: str, yes: bool, console: Console) -> None:
    """Show what is deleted, ask, and delete it.

    Args:
        target: the pipeline.
        before: a date: delete what runs before it have read; '' to delete all data.
        yes: whether not to ask.
        console: where to print and ask.

    Raises:
        CommandError: the date is wrong, the user refused, or AWS refused a request.
        StillRunningError: the user stopped the command; running it again continues.
    """
    target.announce(console)
    scope = Scope(_midnight(target, parse_date(before, "--before")) if before else None)
    try:
        with aws_errors("run the same command again to continue"):
            _Purge(target, scope, console).run(yes=yes)
    except KeyboardInterrupt as error:
        raise StillRunningError(_STOPPED) from error


def _midnight(target: Target, day: date) -> datetime:
    """Return the beginning of a day in the stack's time zone."""
    zone = deployed_function(target, "publish").environment.get("TIMEZONE", "UTC")
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


class _Purge:
    def __init__(self, target: Target, scope: Scope, console: Console) -> None:
        outputs = target.outputs
        self._target = target
        self._scope = scope
        self._console = console
        self._stack = str(outputs["athena_workgroup_name"]).removeprefix("spotify-etl-")
        self._description = target.description
        self._s3: S3Client = target.client("s3")
        self._sqs = target.client("sqs")
        self._glue: GlueClient = target.client("glue")
        self._database = outputs["glue_database_name"]
        self._raw, self._transformed, self._results = (
            outputs[f"{name}_bucket_name"] for name in ("raw", "transformed", "athena_results")
        )
        self._queues = {"transform queue": outputs["transform_queue_url"]} | {
            f"dead letters of {step}": url for step, url in outputs["dead_letter_queue_urls"].items()
        }
        self._stale_states: frozenset[str] = frozenset()
        self._early = EarlyRows(frozenset(), frozenset())
        self._to_replace: list[str] = []
        self._unreplaced: frozenset[str] = frozenset()

    def run(self, *, yes: bool) -> None:
        """Show, ask, delete, and show what is left."""
        if self._scope.before:
            self._stale_states = frozenset(self._states_of_deleted())
            self._early = self._find_early_rows(self._scope.before)
            self._to_replace = still_there(self._s3, self._transformed, self._early.keys)
        survey = self._survey()
        messages = self._messages() if self._scope.before is None else 0
        self._show(survey, messages)
        if not survey.versions and not messages:
            print_line(self._console, "There is nothing to delete.")
            return
        if not yes:
            confirm(
                self._console,
                f"This cannot be undone. To delete it from {self._description}, type the stack's name, {self._stack}",
                self._stack,
            )
        steps = Steps(self._console)
        if self._scope.before is None:
            with steps.step("Empty the queues") as result:
                result.say(f"{pluralize(self._empty_queues(), 'message')} deleted")
        count = 0
        # Until they are replaced: they also hold rows of later runs, which nothing else has.
        self._unreplaced = frozenset(self._to_replace)
        for title, bucket in (
            ("Delete raw data and state", self._raw),
            ("Delete tables", self._transformed),
            ("Delete query results", self._results),
        ):
            with steps.step(title) as result:
                deleted = self._delete(bucket, result.progress)
                count += deleted
                result.say(f"{pluralize(deleted, 'version')} deleted")
        if self._scope.before and self._to_replace:
            # After the originals of the earlier runs, which a compaction would otherwise fold in again.
            with steps.step("Replace compacted objects") as result:
                self._replace(self._scope.before, result.progress)
                deleted = self._delete(self._transformed, result.progress)
                count += deleted
                result.say(f"{pluralize(deleted, 'version')} deleted")
        with steps.step("Delete empty partitions") as result:
            partitions = delete_empty_partitions(self._s3, self._glue, self._database, self._transformed)
            result.say(f"{pluralize(partitions, 'partition')} deleted; tables and views stay, empty")
        self._show_rest(count)

    def _covers(self, bucket: str, version: Mapping[str, Any]) -> bool:
        key = version["Key"]
        # Query results can be computed again, and may hold anything that was in the tables.
        if bucket == self._results or key in self._stale_states or self._scope.covers(key):
            return True
        if bucket != self._transformed or self._scope.before is None or key in self._unreplaced:
            return False
        # Of records, those that the function has replaced or deleted go: they name the earlier runs.
        is_object = version["IsLatest"] and "Size" in version
        return key in self._early.keys or (layout.compaction_in(key) in self._early.partitions and not is_object)

    def _find_early_rows(self, before: datetime) -> EarlyRows:
        """Return the compacted objects, deleted ones included, that hold rows of runs before a moment."""
        found = {
            version["Key"]: version["VersionId"]
            for version in self._versions(self._transformed)
            if is_compacted(version["Key"]) and "Size" in version
        }
        return find_early_rows(self._s3, self._transformed, found, before)

    def _replace(self, before: datetime, progress: Callable[[str], None]) -> None:
        """Let the compact function replace the compacted objects that hold rows of earlier runs.

        Raises:
            CommandError: some are still there.
        """
        reasons: Mapping[str, str] = {}
        failure: CommandError | None = None
        try:
            reasons = run_compaction(self._target, {"purge_before": layout.written(before)}, progress).left_alone
        except CommandError as error:
            # Perhaps it failed for partitions that do not matter here.
            failure = error
        left = still_there(self._s3, self._transformed, self._to_replace)
        if left and failure:
            raise failure
        if left:
            reason = reasons.get(left[0], "another compaction is running")
            raise CommandError(
                f"{pluralize(len(left), 'compacted object')} could not be replaced by one without these rows, such as "
                f"{quoted(left[0])} ({quoted(reason).rstrip('.')}), while all else is deleted: run the same "
                "command again in a quarter of an hour."
            )
        self._unreplaced = frozenset()

    def _versions(self, bucket: str) -> Iterator[Mapping[str, Any]]:
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            # A delete marker hides an object whose versions are still there.
            yield from page.get("Versions", ())
            yield from page.get("DeleteMarkers", ())

    def _survey(self) -> _Survey:
        chosen: dict[str, _Tally] = defaultdict(_Tally)
        kept, undated = _Tally(), _Tally()
        for bucket in (self._raw, self._transformed, self._results):
            for version in self._versions(bucket):
                key = version["Key"]
                if self._covers(bucket, version):
                    chosen["query results" if bucket == self._results else _place(key)].add(version)
                else:
                    is_undated = self._scope.is_undated(key) or key in self._early.unreadable
                    (undated if is_undated else kept).add(version)
        return _Survey(dict(chosen), kept, undated)

    def _states_of_deleted(self) -> Iterator[str]:
        """Yield the keys of state that refers to objects that are deleted: without it, they are read again."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._raw, Prefix=layout.STATE_PREFIX):
            for entry in page.get("Contents", ()):
                body = self._s3.get_object(Bucket=self._raw, Key=entry["Key"])["Body"].read()
                if any(self._scope.covers(text) for text in _texts(body)):
                    yield entry["Key"]

    def _messages(self) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = [
            self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            for url in self._queues.values()
        ]
        return sum(int(attributes.get(name, 0)) for attributes in found for name in names)

    def _empty_queues(self) -> int:
        count = 0
        for url in self._queues.values():
            for messages in received_messages(self._sqs, url):
                delete_messages(self._sqs, url, messages)
                count += len(messages)
        return count

    def _delete(self, bucket: str, progress: Callable[[str], None]) -> int:
        """Delete the versions that are chosen, and return how many there were."""
        deleted = 0
        chosen = (version for version in self._versions(bucket) if self._covers(bucket, version))
        for batch in _batches(chosen, _BATCH):
            answer = self._s3.delete_objects(
                Bucket=bucket,
                Delete={
                    "Objects": [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in batch],
                    "Quiet": True,
                },
            )
            if errors := answer.get("Errors"):
                first = errors[0]
                raise CommandError(
                    f"S3 did not delete {pluralize(len(errors), 'version')} of {bucket} "
                    f"({quoted(first.get('Message') or first.get('Code'))}): check your permissions, and run the same "
                    "command again."
                )
            deleted += len(batch)
            progress(f"{deleted:,} versions")
        return deleted

    def _show(self, survey: _Survey, messages: int) -> None:
        rows = [
            (place, len(tally.keys), tally.versions, _size(tally.size), _day(tally.oldest), _day(tally.newest))
            for place, tally in sorted(survey.chosen.items())
        ]
        if rows:
            columns = ("what", "objects", "versions", "size", "oldest", "newest")
            print_tables(self._console, table("To be deleted, in all versions", columns, rows))
        if messages:
            print_line(self._console, f"{pluralize(messages, 'message')} in the queues will be deleted too.")
        if self._stale_states:
            print_line(
                self._console,
                "What the pipeline remembers of these objects goes too: the next run reads their streams in full, and "
                "until then their views may be empty.",
            )
        if self._to_replace:
            print_line(
                self._console,
                f"{pluralize(len(self._to_replace), 'compacted object')} with rows of these runs will be replaced by "
                "objects without them, or deleted where no row is left.",
            )
        if before := self._scope.before:
            print_line(
                self._console,
                f"This is what runs before {before:%Y-%m-%d %H:%M} UTC have read, whenever it was played or added.",
            )
        if survey.undated.keys:
            print_line(
                self._console,
                f"{pluralize(len(survey.undated.keys), 'object')} cannot be dated and will be kept, such as "
                f"{quoted(min(survey.undated.keys))}; --all deletes them.",
            )

    def _show_rest(self, deleted: int) -> None:
        if self._scope.before:
            self._early = self._find_early_rows(self._scope.before)
        left = self._survey()
        if left.versions:
            raise CommandError(
                f"{pluralize(left.versions, 'version')} appeared meanwhile, because the pipeline is running: turn the "
                "schedules off (setting `schedulesEnabled`), or run the same command again."
            )
        objects = len(left.kept.keys) + len(left.undated.keys)
        print_line(
            self._console,
            f"Deleted {pluralize(deleted, 'version')}. Left: {pluralize(objects, 'object')}"
            f"{' (Spotify’s quota locks)' if left.kept.keys == {layout.LOCKS_STATE_KEY} else ''}.",
        )
        for sentence in _REMAINS if self._scope.before is None else ():
            print_line(self._console, sentence)


def _place(key: str) -> str:
    """Return the part of a bucket that a key is in: a stream, a table, or a top folder."""
    parts = key.split("/")
    if key.startswith((layout.RAW_PREFIX, layout.TABLES_PREFIX)) and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def _texts(body: bytes) -> Iterator[str]:
    """Yield every text in a JSON document."""
    try:
        left: list[Any] = [json.loads(body)]
    except ValueError:
        return
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value


def _batches(versions: Iterable[Mapping[str, Any]], size: int) -> Iterator[list[Mapping[str, Any]]]:
    batch: list[Mapping[str, Any]] = []
    for version in versions:
        batch.append(version)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d}" if moment else "-"
