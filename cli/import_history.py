"""Listening history from the files of Spotify's privacy export into the stack's raw bucket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from cli.errors import CommandError
from cli.export_files import FoundFiles, HashedFile, exports_of, find, hashed
from cli.import_manifest import STREAM, Run, write_manifest
from cli.import_state import ImportedFile, ImportState
from cli.presentation import counted, print_line, progress_bar
from cli.privacy_export import Reading, Span
from cli.raw_bucket import raw_bucket
from handlers import layout
from handlers.raw.bucket import Bucket
from handlers.raw.manifest import UnitRow, UnitStatus
from handlers.raw.objects import RawWriter

_NAMES_SHOWN = 10


def import_history(
    paths: Sequence[Path], bucket_name: str, *, account_id: str | None, again: bool, console: Console
) -> None:
    """Import the plays that the files hold; a file that is imported already is not read into the bucket again.

    Args:
        paths: files, folders and zips. The files of one export are one import, with one span.
        bucket_name: the stack's raw bucket.
        account_id: whose plays they are; None: those of the account that is logged in.
        again: import also what is imported already.
        console: where progress and summary go.

    Raises:
        CommandError: nothing was found, AWS refused, or a file is not whole.
    """
    found = _found(paths)
    with raw_bucket(bucket_name) as bucket, TemporaryDirectory() as folder:
        # Asked first and always: nobody should wait for an hour only to learn that the bucket's name was wrong.
        login = bucket.get(layout.LOGIN_STATE_KEY)
        run = Run(account_id or _account_logged_in(login), datetime.now(UTC))
        state = ImportState(bucket, run.account_id)
        print_line(console, f"Importing for the account {run.account_id}.")
        importer = _Importer(bucket, run, state, Path(folder), again=again)
        taken = _each_file(found, importer.take, console)
        named: set[str] = set()
        for export in taken.exports:
            write_manifest(bucket, run, [taken.outcomes[one].manifest_unit(again=one in named) for one in export])
            named.update(export)
    _report(found, taken, console)
    if broken := taken.broken:
        raise CommandError(
            f"{_are_not_whole(broken)}, so {'its' if len(broken) == 1 else 'their'} import does not count in `listens` "
            "yet: get a whole one from Spotify, or import the others without it."
        )
    print_line(console, "Each object becomes rows of `plays` within minutes; they show in Athena after the next crawl.")


def inspect_history(paths: Sequence[Path], *, console: Console) -> None:
    """Read the files and say what they hold; nothing is stored and AWS is not asked.

    Raises:
        CommandError: nothing was found, or a file is not whole.
    """
    found = _found(paths)
    taken = _each_file(found, _inspected, console)
    _report(found, taken, console)
    if broken := taken.broken:
        raise CommandError(
            f"{_are_not_whole(broken)}: get a whole one from Spotify, or leave it out. Nothing was imported."
        )
    print_line(console, "Nothing was imported: leave out --dry-run for that.")


@dataclass
class _Outcome:
    """What became of one file."""

    hashed_file: HashedFile
    status: UnitStatus
    plays: int
    span: Span
    read_keys: tuple[str, ...] = ()
    rejected: list[tuple[int, str]] = field(default_factory=list)
    rejections: int = 0
    problem: str | None = None

    @property
    def name(self) -> str:
        return self.hashed_file.file.name

    def manifest_unit(self, *, again: bool) -> UnitRow:
        """The file's row in the manifest of an import.

        Args:
            again: another import of the same command has named it already.
        """
        whole, wrote = self.status != "partial", self.status != "unchanged" and not again
        return UnitRow(
            STREAM,
            self.hashed_file.unit,
            "full",
            self.hashed_file.content_hash,
            "unchanged" if whole and again else self.status,
            self.problem,
            records=self.plays if wrote else 0,
            objects=len(self.read_keys) if wrote else 0,
            read_complete=whole,
            read_keys=list(self.read_keys) if whole else [],
            read_records=self.plays if whole else 0,
        )


@dataclass
class _Taken:
    """What became of all files."""

    exports: list[list[str]]
    """Of each export the contents by their hash."""
    repeated: list[str]
    """Names of files that were given twice."""
    outcomes: dict[str, _Outcome]
    """Of each content, by its hash."""

    @property
    def broken(self) -> list[str]:
        """Names of the files that are not whole."""
        return [outcome.name for outcome in self.outcomes.values() if outcome.problem]


_Watch = Callable[[int], None]
_Take = Callable[[HashedFile, _Watch, _Watch], _Outcome]


class _Importer:
    """Takes one file after the other into the bucket; parts wait in a folder until they are uploaded."""

    def __init__(self, bucket: Bucket, run: Run, state: ImportState, folder: Path, *, again: bool) -> None:
        self._bucket = bucket
        self._run = run
        self._state = state
        self._folder = folder
        self._again = again

    def take(self, hashed_file: HashedFile, watch_bytes: _Watch, watch_plays: _Watch) -> _Outcome:
        """Import a file, unless that is done already; state is saved after the objects it speaks of."""
        imported = None if self._again else self._state.get(hashed_file.unit, hashed_file.content_hash)
        if imported:
            watch_bytes(hashed_file.file.size)
            return _Outcome(hashed_file, "unchanged", imported.records, imported.span, imported.keys)
        reading = Reading(hashed_file, watch_bytes)
        try:
            outcome = self._written(reading, watch_plays)
        except OSError as error:
            # The file's own errors are the reading's: this is one of the folder where parts wait.
            raise CommandError(
                f"Temporary files cannot be written to {self._folder.parent} ({error.strerror}): make room there, or "
                "name another folder in TMPDIR, and run the command again; files that are done are not repeated."
            ) from error
        if outcome.status == "complete":
            self._state.add(
                hashed_file.unit,
                ImportedFile(
                    hashed_file.content_hash,
                    outcome.read_keys,
                    outcome.plays,
                    layout.written(datetime.now(UTC)),
                    reading.span.first,
                    reading.span.last,
                ),
            )
        return outcome

    def _written(self, reading: Reading, watch_plays: _Watch) -> _Outcome:
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
            for play in reading.plays():
                raw.add(play, source)
                watch_plays(1)
        return _read(reading, raw.records, tuple(raw.keys))


@dataclass(frozen=True)
class _FileSource:
    """Plays of a file were served when the import began, by no request."""

    extracted_at: datetime
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


def _inspected(hashed_file: HashedFile, watch_bytes: _Watch, watch_plays: _Watch) -> _Outcome:
    reading = Reading(hashed_file, watch_bytes)
    plays = 0
    for _ in reading.plays():
        plays += 1
        watch_plays(1)
    return _read(reading, plays, ())


def _read(reading: Reading, plays: int, keys: tuple[str, ...]) -> _Outcome:
    return _Outcome(
        reading.hashed_file,
        "partial" if reading.problem else "complete",
        plays,
        reading.span,
        keys,
        reading.rejected,
        reading.rejections,
        reading.problem,
    )


def _found(paths: Sequence[Path]) -> FoundFiles:
    found = find(paths)
    if found.plays:
        return found
    if any(name.startswith("StreamingHistory") for name in found.left_out):
        raise CommandError(
            "This is Spotify's small export of the last year, which names no tracks by id: ask for the "
            '"Extended streaming history" at https://www.spotify.com/account/privacy/.'
        )
    unopened = f", and these cannot be opened: {_listed(found.unopened)}" if found.unopened else ""
    raise CommandError(
        "Nothing to import: there is no Streaming_History_Audio_*.json or endsong_*.json in "
        f"{', '.join(map(str, paths))}{unopened}."
    )


def _account_logged_in(login: tuple[bytes, str] | None) -> str:
    try:
        content = json.loads(login[0]) if login else None
    except ValueError:
        content = None
    account_id = content.get("account_id") if isinstance(content, dict) else None
    if isinstance(account_id, str) and account_id:
        return account_id
    raise CommandError(
        "The stack does not know yet whose plays these are: run `spotify-etl login`, let a run take place, and import "
        "then; or name the account with --account-id."
    )


def _each_file(found: FoundFiles, take: _Take, console: Console) -> _Taken:
    """Take each content once, in the order of the files."""
    total = sum(file.size for file in found.plays)
    with progress_bar(console) as progress:
        task = progress.add_task("Looking at the files", total=total)
        files = [hashed(file, lambda count: progress.advance(task, count)) for file in found.plays]
        contents: dict[str, HashedFile] = {}
        for one in files:
            contents.setdefault(one.content_hash, one)
        progress.reset(task, total=sum(one.file.size for one in contents.values()), description="Reading the plays")
        outcomes: dict[str, _Outcome] = {}
        plays = 0

        def watch_plays(count: int) -> None:
            nonlocal plays
            plays += count
            if plays % _PLAYS_SHOWN == 0:
                progress.update(task, description=counted(plays, "play"))

        for key, one in contents.items():
            outcomes[key] = take(one, lambda count: progress.advance(task, count), watch_plays)
    broken = frozenset(key for key, outcome in outcomes.items() if outcome.problem)
    return _Taken(*exports_of(files, broken), outcomes)


_PLAYS_SHOWN = 1000


def _report(found: FoundFiles, taken: _Taken, console: Console) -> None:
    outcomes = list(taken.outcomes.values())

    def say(line: str) -> None:
        print_line(console, line)

    span = Span()
    for outcome in outcomes:
        span.join(outcome.span)
    plays = sum(outcome.plays for outcome in outcomes)
    say(f"{counted(len(outcomes), 'file')} with {counted(plays, 'play')}{_from_to(span)}.")
    if len(taken.exports) > 1:
        say(f"They are {len(taken.exports)} exports, each an import of its own: what stands in several counts once.")
    if unchanged := [outcome for outcome in outcomes if outcome.status == "unchanged"]:
        held = counted(sum(outcome.plays for outcome in unchanged), "play")
        say(f"Skipped, as imported before: {counted(len(unchanged), 'file')} with {held}.")
    if taken.repeated:
        say(f"Skipped, as given twice: {_listed(taken.repeated)}.")
    if found.left_out:
        say(f"Left out, as they hold no plays: {_listed(found.left_out)}.")
    if found.unopened:
        say(f"Left out, as they cannot be opened: {_listed(found.unopened)}. Name one alone to learn why.")
    for outcome in outcomes:
        for trouble in _troubles(outcome):
            say(f"{outcome.name}: {trouble}")


def _troubles(outcome: _Outcome) -> Iterator[str]:
    if outcome.rejections:
        numbers = ", ".join(f"{number} {why}" for number, why in outcome.rejected)
        more = " …" if outcome.rejections > len(outcome.rejected) else ""
        yield f"{counted(outcome.rejections, 'element')} rejected: {numbers}{more}."
    if outcome.problem:
        yield outcome.problem


def _from_to(span: Span) -> str:
    return f", {span.first[:10]} to {span.last[:10]}" if span.first else ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    return f"{', '.join(names[:_NAMES_SHOWN])}{more}"


def _are_not_whole(names: Sequence[str]) -> str:
    return f"{_listed(names)} {'is' if len(names) == 1 else 'are'} not whole"
