"""Listening history from the files of Spotify's privacy export into the stack's raw bucket."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from rich.console import Console

from cli.errors import CommandError
from cli.export_files import ExportFile, FoundFiles, HashedFile, exports_of, find, hashed
from cli.import_limits import MAX_BYTES, check
from cli.import_manifest import STREAM, Run, write_manifest
from cli.import_report import Outcome, Taken, incomplete, refuse_nothing, refuse_useless, report
from cli.import_state import ImportedFile, ImportState
from cli.presentation import counted, print_line, progress_bar
from cli.privacy_export import Doubles, Faults, Reading
from cli.raw_bucket import raw_bucket
from cli.zip_archives import Archives
from handlers import layout
from handlers.raw.bucket import RawBucket
from handlers.raw.objects import RawWriter


def import_history(
    paths: Sequence[Path], bucket_name: str, *, account_id: str | None, again: bool, console: Console
) -> None:
    """Import the plays that the files hold; a file that is imported already is not read into the bucket again.

    Every file is read to its end before the first byte is uploaded.

    Args:
        paths: files, folders and zips. The files of one export are one import, with one span.
        bucket_name: the stack's raw bucket.
        account_id: whose plays they are; None: those of the account that is logged in.
        again: import also what is imported already.
        console: where progress and summary go.

    Raises:
        CommandError: nothing was found, a file gives no play or is incomplete, or AWS refused.
    """
    with ExitStack() as opened:
        found = _found(paths, opened.enter_context(Archives()))
        bucket = opened.enter_context(raw_bucket(bucket_name))
        folder = opened.enter_context(TemporaryDirectory())
        # Asked first and always: nobody should wait for an hour only to learn that the bucket's name was wrong.
        login = bucket.get(layout.LOGIN_STATE_KEY)
        run = Run(account_id or _account_logged_in(login), datetime.now(UTC))
        state = ImportState(bucket, run.account_id)
        print_line(console, f"Importing for the account {run.account_id}.")
        taken = _taken(found, _Importer(bucket, run, state, Path(folder), again=again), run.started_at, console)
        named: set[str] = set()
        for export in taken.exports:
            write_manifest(bucket, run, [taken.outcomes[one].manifest_unit(again=one in named) for one in export])
            named.update(export)
    report(found, taken, lambda line: print_line(console, line))
    if broken := taken.broken:
        said, advice = incomplete(broken)
        it, its = ("it", "its") if len(broken) == 1 else ("them", "their")
        retry = (
            f"import all files again, or import the others without {it}" if taken.has_whole else f"import {it} again"
        )
        raise CommandError(f"{said}, so {its} export does not count in `listens` yet: {advice} and {retry}.")
    if all(outcome.status == "unchanged" for outcome in taken.outcomes.values()):
        print_line(console, "Everything was already imported: nothing new was stored.")
    else:
        print_line(console, "The plays arrive in `plays` within minutes and show in Athena after the next crawl.")


def inspect_history(paths: Sequence[Path], *, console: Console) -> None:
    """Read the files and say what they hold, without contacting AWS.

    Raises:
        CommandError: nothing was found, or a file gives no play or is incomplete.
    """
    with Archives() as archives:
        found = _found(paths, archives)
        taken = _taken(found, None, datetime.now(UTC), console)
    report(found, taken, lambda line: print_line(console, line))
    if broken := taken.broken:
        said, advice = incomplete(broken)
        raise CommandError(
            f"{said}: {advice}, or leave {'it' if len(broken) == 1 else 'them'} out. Nothing was imported."
        )
    print_line(console, "Nothing was imported. To import, run it again with --bucket instead of --dry-run.")


_Watch = Callable[[int], None]


class _Importer:
    """Takes one file after the other into the bucket; parts wait in a folder until they are uploaded."""

    def __init__(self, bucket: RawBucket, run: Run, state: ImportState, folder: Path, *, again: bool) -> None:
        self._bucket = bucket
        self._run = run
        self._state = state
        self._folder = folder
        self._again = again

    def imported(self, hashed_file: HashedFile) -> Outcome | None:
        """What is noted of a file that is imported already; None where it is to be imported."""
        noted = None if self._again else self._state.get(hashed_file.unit, hashed_file.content_hash)
        if noted is None:
            return None
        return Outcome(
            hashed_file, "unchanged", noted.records, noted.plays, noted.span, 0, Faults(), 0, read_keys=noted.keys
        )

    def take(self, hashed_file: HashedFile, watch_bytes: _Watch, watch_plays: _Watch) -> Outcome:
        """Import a file; state is saved after the objects it speaks of."""
        try:
            outcome = self._written(Reading(hashed_file, watch_bytes, self._run.started_at), watch_plays)
        except OSError as error:
            # The file's own errors are the reading's: this is one of the folder where parts wait.
            raise CommandError(
                f"Temporary files cannot be written to {self._folder.parent} ({error.strerror}): free some space "
                "there, or set TMPDIR to another folder, and run the command again; it continues with the files that "
                "are not imported yet."
            ) from error
        if outcome.status == "complete":
            self._state.add(
                hashed_file.unit,
                ImportedFile(
                    hashed_file.content_hash,
                    outcome.read_keys,
                    outcome.records,
                    outcome.plays,
                    layout.written(datetime.now(UTC)),
                    outcome.span,
                ),
            )
        return outcome

    def _written(self, reading: Reading, watch_plays: _Watch) -> Outcome:
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
                watch_plays(1)
        return _outcome(reading, raw.records, tuple(raw.keys))


@dataclass(frozen=True)
class _FileSource:
    """Plays of a file were served when the import began, by no request."""

    extracted_at: datetime
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


def _inspected(
    hashed_file: HashedFile, watch_bytes: _Watch, watch_plays: _Watch, now: datetime, doubles: Doubles
) -> Outcome:
    reading = Reading(hashed_file, watch_bytes, now, doubles)
    records = 0
    for _ in reading.records():
        records += 1
        watch_plays(1)
    return _outcome(reading, records, ())


def _outcome(reading: Reading, records: int, keys: tuple[str, ...]) -> Outcome:
    return Outcome(
        reading.hashed_file,
        "partial" if reading.problem else "complete",
        records,
        reading.plays,
        reading.span,
        reading.elements,
        reading.faults,
        len(reading.months),
        reading.account_data_plays,
        reading.early_plays,
        reading.future_plays,
        reading.problem,
        keys,
    )


def _found(paths: Sequence[Path], archives: Archives) -> FoundFiles:
    found = find(paths, archives)
    refuse_nothing(paths, found)
    return found


def _account_logged_in(login: tuple[bytes, str] | None) -> str:
    try:
        content = json.loads(login[0]) if login else None
    except ValueError:
        content = None
    account_id = content.get("account_id") if isinstance(content, dict) else None
    if isinstance(account_id, str) and account_id:
        return account_id
    raise CommandError(
        "The stack does not know yet whose plays these are: run `spotify-etl login`, wait for the next run and import "
        "again, or name the account with --account-id."
    )


def _taken(found: FoundFiles, importer: _Importer | None, now: datetime, console: Console) -> Taken:
    """Read each content once to see what it gives, and then import it, in the order of the files.

    Args:
        found: the files.
        importer: imports them; None: they are only read.
        now: when the command began.
        console: where progress is shown.

    Raises:
        CommandError: a file gives no play; nothing was imported.
    """
    with _Shown(console) as shown:
        files = _hashed(found.plays, shown)
        contents: dict[str, HashedFile] = {}
        for one in files:
            contents.setdefault(one.content_hash, one)
        outcomes = {
            key: known for key, one in contents.items() if importer is not None and (known := importer.imported(one))
        }
        new = {key: one for key, one in contents.items() if key not in outcomes}
        shown.begin("Checking", [one.file for one in new.values()])
        doubles = Doubles()
        inspected = {
            key: _inspected(one, shown.watch_bytes, shown.watch_plays, now, doubles) for key, one in new.items()
        }
        refuse_useless([*inspected.values(), *outcomes.values()])
        if importer is None:
            outcomes |= inspected
        else:
            shown.begin("Importing", [one.file for one in new.values()])
            outcomes |= {key: importer.take(one, shown.watch_bytes, shown.watch_plays) for key, one in new.items()}
    broken = frozenset(key for key, outcome in outcomes.items() if outcome.problem)
    return Taken(*exports_of(files, broken), {key: outcomes[key] for key in contents}, doubles.count)


def _hashed(files: Sequence[ExportFile], shown: _Shown) -> list[HashedFile]:
    shown.begin("Looking at the files", files)
    read = 0

    def watch(count: int) -> None:
        # What is packed with gzip does not say beforehand how large it is.
        nonlocal read
        read += count
        check(read, MAX_BYTES, f"{MAX_BYTES // 1024**3} GB of plays")
        shown.watch_bytes(count)

    return [hashed(file, watch) for file in files]


class _Shown:
    """The bar that shows how far the command is, as long as its context lasts."""

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
        """Begin to read files."""
        self._title, self._plays = title, 0
        self._progress.reset(self._task, total=sum(file.size for file in files), description=title)

    def watch_bytes(self, count: int) -> None:
        """Move the bar."""
        self._progress.advance(self._task, count)

    def watch_plays(self, count: int) -> None:
        """Count plays; the number is shown now and then."""
        self._plays += count
        if self._plays % _PLAYS_SHOWN == 0:
            self._progress.update(self._task, description=f"{self._title} {counted(self._plays, 'play')}")


_PLAYS_SHOWN = 1000
