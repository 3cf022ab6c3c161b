"""Import listening history from the files of Spotify's privacy export into the stack's raw bucket."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console

from cli.errors import CommandError
from cli.export_files import ExportFile, FoundFiles, HashedFile, find_files, group_by_export, hash_file
from cli.import_limits import MAX_BYTES, check
from cli.import_manifest import STREAM, Run, write_manifest
from cli.import_report import FileOutcome, ImportSummary, check_found, check_usable, describe_broken, report
from cli.import_state import ImportedFile, ImportState
from cli.presentation import pluralize, print_line, progress_bar
from cli.privacy_export import Duplicates, FileReading
from cli.raw_bucket import raw_bucket
from cli.zip_archives import Archives
from handlers import layout
from handlers.raw.bucket import RawBucket
from handlers.raw.objects import RawWriter

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ARRIVAL = "The plays will be in `plays` within minutes; Athena sees those of new months after the next crawl."


@dataclass(frozen=True)
class ImportedObjects:
    """What an import has stored."""

    account_id: str
    """Whose plays they are."""
    keys: tuple[str, ...]
    """Keys of the objects with the plays, and of the manifests; none if all was there already."""


def import_history(
    paths: Sequence[Path],
    bucket_name: str,
    *,
    account_id: str | None,
    again: bool,
    console: Console,
    s3: S3Client | None = None,
    next_step: str = ARRIVAL,
) -> ImportedObjects:
    """Import the plays in the given files, except for files that have been imported before.

    Every file is read to its end before the first byte is uploaded.

    Args:
        paths: files, folders and zips. The files of one export are imported together and share one time span.
        bucket_name: the stack's raw bucket.
        account_id: the account that the plays belong to; None for the account that is logged in.
        again: whether to import files again that have been imported before.
        console: where progress and summary are printed.
        s3: a client of the stack's account; by default that of the environment.
        next_step: the last sentence if anything was stored; '' for none.

    Returns:
        What was stored.

    Raises:
        CommandError: nothing was found, a file has no plays or cannot be read to its end, or AWS refused a request.
    """
    with ExitStack() as opened:
        found = _found(paths, opened.enter_context(Archives()))
        bucket = opened.enter_context(raw_bucket(bucket_name, s3))
        folder = opened.enter_context(TemporaryDirectory())
        # Read first, even if it is not needed, so that a wrong bucket name is reported before an hour of reading files.
        login = bucket.get(layout.LOGIN_STATE_KEY)
        run = Run(account_id or account_logged_in(login), datetime.now(UTC))
        state = ImportState(bucket, run.account_id)
        print_line(console, f"Importing for the account {run.account_id}.")
        summary = _read_and_import(
            found, _Importer(bucket, run, state, Path(folder), again=again), run.started_at, console
        )
        named: set[str] = set()
        keys: list[str] = []
        for export in summary.exports:
            units = [summary.outcomes[one].manifest_unit(again=one in named) for one in export]
            keys.append(str(write_manifest(bucket, run, units)))
            keys += [key for one in export for key in summary.outcomes[one].read_keys]
            named.update(export)
    report(found, summary, lambda line: print_line(console, line))
    if broken := summary.broken:
        problem, advice = describe_broken(broken)
        it, its = ("it", "its") if len(broken) == 1 else ("them", "their")
        retry = (
            f"import all files again, or import the others without {it}" if summary.has_whole else f"import {it} again"
        )
        raise CommandError(f"{problem}, so {its} export does not count in `listens` yet: {advice} and {retry}.")
    if all(outcome.status == "unchanged" for outcome in summary.outcomes.values()):
        print_line(console, "All files have already been imported; nothing new was stored.")
        return ImportedObjects(run.account_id, ())
    if next_step:
        print_line(console, next_step)
    return ImportedObjects(run.account_id, tuple(keys))


def check_paths(paths: Sequence[Path]) -> None:
    """Check that there is something to import, without reading the files.

    Raises:
        CommandError: a path does not exist, or nothing that it leads to can be imported.
    """
    with Archives() as archives:
        _found(paths, archives)


def inspect_history(paths: Sequence[Path], *, console: Console) -> None:
    """Read the files and report what they hold, without contacting AWS.

    Raises:
        CommandError: nothing was found, or a file has no plays or cannot be read to its end.
    """
    with Archives() as archives:
        found = _found(paths, archives)
        summary = _read_and_import(found, None, datetime.now(UTC), console)
    report(found, summary, lambda line: print_line(console, line))
    if broken := summary.broken:
        problem, advice = describe_broken(broken)
        raise CommandError(
            f"{problem}: {advice}, or leave {'it' if len(broken) == 1 else 'them'} out. Nothing was imported."
        )
    print_line(console, "Nothing was imported. To import, run the command without --dry-run.")


def account_logged_in(login: tuple[bytes, str] | None) -> str:
    """Return the account of the stack's newest login.

    Args:
        login: the object of the login's state with its ETag; None if there is none.

    Raises:
        CommandError: the stack does not know it yet.
    """
    try:
        content = json.loads(login[0]) if login else None
    except ValueError:
        content = None
    account_id = content.get("account_id") if isinstance(content, dict) else None
    if isinstance(account_id, str) and account_id:
        return account_id
    raise CommandError(
        "The stack does not yet know whose plays these are, which the first run finds out: run `spotify-etl extract` "
        "(after `spotify-etl login`) and import again, or pass the account with --account-id."
    )


_OnCount = Callable[[int], None]


class _Importer:
    """Imports files into the bucket one by one; parts are kept in a folder until they are uploaded."""

    def __init__(self, bucket: RawBucket, run: Run, state: ImportState, folder: Path, *, again: bool) -> None:
        self._bucket = bucket
        self._run = run
        self._state = state
        self._folder = folder
        self._again = again

    def find_imported(self, hashed_file: HashedFile) -> FileOutcome | None:
        """Return the recorded outcome of a file that has been imported before; None if it must be imported."""
        noted = None if self._again else self._state.get(hashed_file.unit, hashed_file.content_hash)
        if noted is None:
            return None
        return FileOutcome(
            hashed_file=hashed_file,
            status="unchanged",
            records=noted.records,
            plays=noted.plays,
            span=noted.span,
            read_keys=noted.keys,
        )

    def import_file(self, hashed_file: HashedFile, on_bytes: _OnCount, on_plays: _OnCount) -> FileOutcome:
        """Import a file; state is saved only after the objects that it refers to."""
        try:
            outcome = self._write(FileReading(hashed_file, on_bytes, now=self._run.started_at), on_plays)
        except OSError as error:
            # FileReading handles the errors of the file itself: this one comes from the folder of temporary parts.
            raise CommandError(
                f"Cannot write temporary files to {self._folder.parent} ({error.strerror}): free some space there, or "
                "set TMPDIR to another folder, and run the command again; it continues with the files that have not "
                "been imported yet."
            ) from error
        if outcome.status == "complete":
            self._state.add(
                hashed_file.unit,
                ImportedFile(
                    read_id=hashed_file.content_hash,
                    keys=outcome.read_keys,
                    records=outcome.records,
                    plays=outcome.plays,
                    extracted_at=layout.written(datetime.now(UTC)),
                    span=outcome.span,
                ),
            )
        return outcome

    def _write(self, reading: FileReading, on_plays: _OnCount) -> FileOutcome:
        source = _FileSource(self._run.started_at)
        with RawWriter(
            self._bucket,
            self._folder,
            stream=STREAM,
            unit=reading.hashed_file.unit,
            run_id=self._run.id,
            read_id=reading.hashed_file.content_hash,
            account_id=self._run.account_id,
        ) as raw:
            for record in reading.records():
                raw.add(record, source)
                on_plays(1)
        return _outcome(reading, raw.records, tuple(raw.keys))


@dataclass(frozen=True)
class _FileSource:
    """The source of a file's plays: no request, and the time at which the import began."""

    extracted_at: datetime
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


def _inspect(
    hashed_file: HashedFile, on_bytes: _OnCount, on_plays: _OnCount, now: datetime, duplicates: Duplicates
) -> FileOutcome:
    reading = FileReading(hashed_file, on_bytes, now=now, duplicates=duplicates)
    records = 0
    for _ in reading.records():
        records += 1
        on_plays(1)
    return _outcome(reading, records, ())


def _outcome(reading: FileReading, records: int, keys: tuple[str, ...]) -> FileOutcome:
    return FileOutcome(
        hashed_file=reading.hashed_file,
        status="partial" if reading.problem else "complete",
        records=records,
        plays=reading.plays,
        span=reading.span,
        elements=reading.elements,
        rejected=reading.rejected,
        months=len(reading.months),
        account_data_plays=reading.account_data_plays,
        early_plays=reading.early_plays,
        future_plays=reading.future_plays,
        problem=reading.problem,
        read_keys=keys,
    )


def _found(paths: Sequence[Path], archives: Archives) -> FoundFiles:
    found = find_files(paths, archives)
    check_found(paths, found)
    return found


def _read_and_import(found: FoundFiles, importer: _Importer | None, now: datetime, console: Console) -> ImportSummary:
    """Check each distinct file by reading it once, and then import it, in the order of the files.

    Args:
        found: the files.
        importer: imports them; None to only read them.
        now: when the command began.
        console: where progress is shown.

    Raises:
        CommandError: a file has no plays; nothing was imported.
    """
    with _ProgressDisplay(console) as display:
        files = _hash_files(found.plays, display)
        contents: dict[str, HashedFile] = {}
        for one in files:
            contents.setdefault(one.content_hash, one)
        outcomes = {
            key: known
            for key, one in contents.items()
            if importer is not None and (known := importer.find_imported(one))
        }
        new = {key: one for key, one in contents.items() if key not in outcomes}
        display.begin("Checking", [one.file for one in new.values()])
        duplicates = Duplicates()
        inspected = {
            key: _inspect(one, display.add_bytes, display.add_plays, now, duplicates) for key, one in new.items()
        }
        check_usable([*inspected.values(), *outcomes.values()])
        if importer is None:
            outcomes |= inspected
        else:
            display.begin("Importing", [one.file for one in new.values()])
            outcomes |= {
                key: importer.import_file(one, display.add_bytes, display.add_plays) for key, one in new.items()
            }
    broken = frozenset(key for key, outcome in outcomes.items() if outcome.problem)
    exports, repeated = group_by_export(files, broken)
    return ImportSummary(
        exports=exports,
        repeated=repeated,
        outcomes={key: outcomes[key] for key in contents},
        duplicates=duplicates.count,
    )


def _hash_files(files: Sequence[ExportFile], display: _ProgressDisplay) -> list[HashedFile]:
    display.begin("Scanning", files)
    read = 0

    def add_bytes(count: int) -> None:
        # A gzip file's unpacked size is not known in advance.
        nonlocal read
        read += count
        check(read, MAX_BYTES, f"{MAX_BYTES // 1024**3} GB of plays")
        display.add_bytes(count)

    return [hash_file(file, add_bytes) for file in files]


class _ProgressDisplay:
    """A progress bar that is shown while its context lasts."""

    def __init__(self, console: Console) -> None:
        self._progress = progress_bar(console)
        self._task = self._progress.add_task("")
        self._title = ""
        self._plays = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def begin(self, title: str, files: Sequence[ExportFile]) -> None:
        """Start a new phase that reads files."""
        self._title, self._plays = title, 0
        self._progress.reset(self._task, total=sum(file.size for file in files), description=title)

    def add_bytes(self, count: int) -> None:
        """Advance the bar."""
        self._progress.advance(self._task, count)

    def add_plays(self, count: int) -> None:
        """Count plays; the number shown is updated from time to time."""
        self._plays += count
        if self._plays % _PLAYS_PER_UPDATE == 0:
            self._progress.update(self._task, description=f"{self._title} {pluralize(self._plays, 'play')}")


_PLAYS_PER_UPDATE = 1000
