"""One object of the raw bucket → its objects in the transformed bucket."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from botocore.exceptions import ClientError

from handlers.layout import (
    RAW_PREFIX,
    RUNS_PREFIX,
    ForeignKeyError,
    ManifestKey,
    RawKey,
    output_of,
    outputs_key,
    run_date,
    table_key,
)
from handlers.tables import TABLES
from handlers.transform.cut_off import never
from handlers.transform.drift import Drift
from handlers.transform.manifests import MAX_MANIFEST_BYTES, transform_manifest
from handlers.transform.mapping import STREAM_MAPPINGS
from handlers.transform.origin import Origin
from handlers.transform.outputs import Outputs, keys_in
from handlers.transform.raw_objects import Counts, add_rejections, transform_raw
from handlers.transform.rejections import Rejection
from handlers.transform.replays import add_replay, is_late
from handlers.transform.table_files import TableFiles

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_CHUNK_BYTES = 1024 * 1024

Outcome: TypeAlias = Literal["transformed", "gone", "foreign", "ignored"]


@dataclass(frozen=True)
class Result:
    """The result for one object."""

    outcome: Outcome
    outputs: Outputs
    drift: Drift
    deleted: tuple[str, ...] = ()
    """Outputs of an earlier run that are no longer produced."""


class Transformer:
    """The transformer of raw objects and manifests.

    Args:
        s3: a client.
        raw_bucket: where the objects are.
        transformed_bucket: where the tables go.
        now: returns the current time, in UTC.
    """

    def __init__(self, s3: S3Client, raw_bucket: str, transformed_bucket: str, now: Callable[[], datetime]) -> None:
        self._s3 = s3
        self._raw_bucket = raw_bucket
        self._transformed_bucket = transformed_bucket
        self._now = now

    def transform(self, key: str, out_of_time: Callable[[], bool] = never) -> Result:
        """Write the tables of one object; repeating it gives the same bytes under the same keys.

        From the end of the object's day on there is a row of `replays` in addition.

        An object that is gone or not ours is not an error: there is nothing to retry. Nor is one that is cut off for
        exceeding the limits of `cut_off.py`.

        Args:
            key: of an object in the raw bucket.
            out_of_time: returns whether there is only enough time left to store the tables.

        Raises:
            ClientError: S3 refused a request.
            BotoCoreError: the object could not be read to its end; a retry may succeed.
        """
        if not key.startswith((RAW_PREFIX, RUNS_PREFIX)):
            return Result("ignored", Outputs(key), Drift())
        try:
            answer = self._s3.get_object(Bucket=self._raw_bucket, Key=key)
        except ClientError as error:
            if _is_missing(error):
                return Result("gone", Outputs(key), Drift())
            raise
        with closing(answer["Body"]):
            source = _source(key)
            if isinstance(source, ManifestKey):
                return self._manifest(source, answer)
            if isinstance(source, RawKey):
                known = source.stream in STREAM_MAPPINGS
                return self._raw(source, answer, out_of_time) if known else self._unknown(source, answer)
            return self._foreign(key, answer)

    def _raw(self, key: RawKey, answer: GetObjectOutputTypeDef, out_of_time: Callable[[], bool]) -> Result:
        def write(files: TableFiles) -> Counts:
            chunks = answer["Body"].iter_chunks(_CHUNK_BYTES)
            return transform_raw(chunks, key, answer["Metadata"], files, out_of_time)

        origin = Origin.of(key, answer["Metadata"])
        return self._store(origin, key.stream, key.stem, write)

    def _unknown(self, key: RawKey, answer: GetObjectOutputTypeDef) -> Result:
        """Record an object of a stream unknown to this version; a version that knows it replaces the record."""
        origin = Origin.of(key, answer["Metadata"])

        def write(files: TableFiles) -> Counts:
            add_rejections([Rejection(0, "foreign", f"Unknown stream {key.stream}.")], origin, files)
            return Counts()

        return self._store(origin, key.stream, key.stem, write, outcome="foreign")

    def _manifest(self, key: ManifestKey, answer: GetObjectOutputTypeDef) -> Result:
        origin = Origin(str(key), "runs", run_date(key.run_id), key.run_id)

        def write(files: TableFiles) -> Counts:
            if answer["ContentLength"] > MAX_MANIFEST_BYTES:
                reason = Rejection(0, "too_long", f"The manifest has {answer['ContentLength']} bytes.")
                add_rejections([reason], origin, files)
                return Counts()
            return transform_manifest(answer["Body"].read(), key, files)

        return self._store(origin, "runs", key.stem, write)

    def _foreign(self, key: str, answer: GetObjectOutputTypeDef) -> Result:
        """Record an object that this project did not write, under its creation date: its key has none."""
        origin = Origin(key, None, answer["LastModified"].date())

        def write(files: TableFiles) -> Counts:
            reason = Rejection(0, "foreign", "This project does not write objects with such a key.")
            add_rejections([reason], origin, files)
            return Counts()

        stream, stem = output_of(key)
        return self._store(origin, stream, stem, write, note=f"{stream}/{stem}", outcome="foreign")

    def _store(
        self,
        origin: Origin,
        stream: str,
        stem: str,
        write: Callable[[TableFiles], Counts],
        *,
        note: str | None = None,
        outcome: Outcome = "transformed",
    ) -> Result:
        """Write the tables to disk, then store each one whole; the record of the outputs comes last.

        The row of `replays` is the last one stored before it: the rows of older versions count until all are there.
        """
        made = Outputs(origin.raw_key)
        note = outputs_key(note or origin.raw_key)
        with tempfile.TemporaryDirectory() as folder:
            files = TableFiles(Path(folder), {"month": f"{origin.day:%Y-%m}", "year": f"{origin.day:%Y}"})
            counts = write(files)
            if is_late(origin.day, self._now()):
                add_replay(origin, counts, files)
            for file in files.finish():
                output = table_key(file.table, TABLES[file.table].partition_key, file.partition, stream, stem)
                with file.path.open("rb") as body:
                    self._s3.put_object(Bucket=self._transformed_bucket, Key=output, Body=body)
                made.keys[output] = file.rows
                made.rows[file.table] = made.rows.get(file.table, 0) + file.rows
        made = Outputs(origin.raw_key, made.keys, made.rows, counts.lines, counts.rejected)
        stale = sorted(self._noted(note) - made.keys.keys())
        for output in stale:
            self._s3.delete_object(Bucket=self._transformed_bucket, Key=output)
        self._s3.put_object(
            Bucket=self._transformed_bucket, Key=note, Body=made.to_json(), ContentType="application/json"
        )
        return Result(outcome, made, counts.drift, tuple(stale))

    def _noted(self, note: str) -> frozenset[str]:
        try:
            answer = self._s3.get_object(Bucket=self._transformed_bucket, Key=note)
        except ClientError as error:
            if _is_missing(error):
                return frozenset()
            raise
        return keys_in(answer["Body"].read())


def _source(key: str) -> RawKey | ManifestKey | None:
    """Return the parts of a key; None if it is not one of ours."""
    try:
        return ManifestKey.parse(key) if key.startswith(RUNS_PREFIX) else RawKey.parse(key)
    except ForeignKeyError:
        return None


def _is_missing(error: ClientError) -> bool:
    return error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404")
