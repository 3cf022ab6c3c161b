"""What an import reports about the files that were passed to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cli.diagnosis import DOWNLOAD, Problem
from cli.errors import CommandError
from cli.export_files import FoundFiles, HashedFile, SkippedFile
from cli.import_manifest import STREAM
from cli.presentation import pluralize
from cli.privacy_export import RejectedElements, Span
from handlers.raw.manifest import UnitRow, UnitStatus
from handlers.streaming_history import EARLIEST, MAX_MONTHS

_NAMES_SHOWN = 10
_USAGE = "Pass the zip that Spotify sent, or the folder it unpacks to."


@dataclass(kw_only=True)
class FileOutcome:
    """The result of reading or importing one file."""

    hashed_file: HashedFile
    status: UnitStatus
    records: int
    """Lines of its raw objects."""
    plays: int
    """How many of them become rows in `plays`."""
    span: Span
    elements: int = 0
    """Elements of its list that were read; 0 if it was imported before."""
    rejected: RejectedElements = field(default_factory=RejectedElements)
    months: int = 0
    """In how many months its plays were heard; 0 if it was imported before."""
    account_data_plays: int = 0
    """How many of its plays have the form of the small export; 0 if it was imported before."""
    early_plays: int = 0
    """How many of its plays are dated before Spotify's launch; 0 if it was imported before."""
    future_plays: int = 0
    """How many of its plays are dated in the future; 0 if it was imported before."""
    problem: Problem | None = None
    """Why it could not be read to its end."""
    read_keys: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.hashed_file.file.name

    @property
    def is_small(self) -> bool:
        """Whether it is a file of the small export."""
        return self.hashed_file.file.kind == "account_data" and not self.is_mixed

    @property
    def is_mixed(self) -> bool:
        """Whether it has plays of both exports."""
        return 0 < self.account_data_plays < self.plays

    @property
    def is_useless(self) -> bool:
        """Whether none of its elements can become a row; an empty list is not useless, just a file without plays."""
        return not self.plays and bool(self.problem or self.rejected.count)

    def manifest_unit(self, *, again: bool) -> UnitRow:
        """Return the file's row in the manifest of an import.

        Args:
            again: whether another import of the same command has listed it already.
        """
        whole, wrote = self.status != "partial", self.status != "unchanged" and not again
        return UnitRow(
            stream=STREAM,
            unit=self.hashed_file.unit,
            mode="full",
            read_id=self.hashed_file.content_hash,
            status="unchanged" if whole and again else self.status,
            reason=f"{_capitalized(self.problem.why)}." if self.problem else None,
            records=self.records if wrote else 0,
            objects=len(self.read_keys) if wrote else 0,
            read_complete=whole,
            read_keys=list(self.read_keys) if whole else [],
            read_records=self.records if whole else 0,
        )


@dataclass(kw_only=True)
class ImportSummary:
    """The result of all files."""

    exports: list[list[str]]
    """The content hashes of each export's files."""
    repeated: list[str]
    """Names of files that were passed twice."""
    outcomes: dict[str, FileOutcome]
    """The outcome of each distinct file, by content hash."""
    duplicates: int = 0
    """How many of the plays that were just read equal another one in every field."""

    @property
    def broken(self) -> list[FileOutcome]:
        """The files that could not be read to their end."""
        return [outcome for outcome in self.outcomes.values() if outcome.problem]

    @property
    def has_whole(self) -> bool:
        """Whether any file was read to its end."""
        return any(not outcome.problem for outcome in self.outcomes.values())


def check_found(paths: Sequence[Path], found: FoundFiles) -> None:
    """Check that some file has plays.

    Raises:
        CommandError: none has; the message lists what was found instead.
    """
    if found.plays:
        return
    where = join_names([str(path) for path in paths])
    raise CommandError(
        " ".join(
            (
                f"Nothing to import: {where} {'contains' if len(paths) == 1 else 'contain'} no plays.",
                *_describe_skipped(found),
                _USAGE,
            )
        )
    )


def check_usable(outcomes: Sequence[FileOutcome]) -> None:
    """Check that every file gives rows, that none gives more than the transform accepts, and that there is a play.

    Args:
        outcomes: the outcomes of all files, before anything is stored.

    Raises:
        CommandError: the check failed; the message says why for each file.
    """
    useless = [outcome for outcome in outcomes if outcome.is_useless]
    if useless:
        problems = [f"{outcome.name} contains no usable plays: {_why_useless(outcome)}" for outcome in useless]
        more = len(problems) - _NAMES_SHOWN
        others = (
            f"; {pluralize(more, 'more file')} {'contains' if more == 1 else 'contain'} none either" if more > 0 else ""
        )
        it = "it" if len(problems) == 1 else "them"
        advice = _advice([outcome.problem.fix if outcome.problem else DOWNLOAD for outcome in useless])
        raise CommandError(
            f"{'; '.join(problems[:_NAMES_SHOWN])}{others}. Nothing was imported: {advice}, or leave {it} out."
        )
    for outcome in outcomes:
        if outcome.months > MAX_MONTHS:
            raise CommandError(
                f"{outcome.name} has plays spread over more than {MAX_MONTHS} months, longer than any export covers: "
                "its times are wrong, so leave it out. Nothing was imported."
            )
    if outcomes and not any(outcome.plays for outcome in outcomes):
        names = [outcome.name for outcome in outcomes]
        raise CommandError(
            f"Nothing to import: {join_names(names)} {'is an empty list' if len(names) == 1 else 'are empty lists'}. "
            f"{_USAGE}"
        )


def report(found: FoundFiles, summary: ImportSummary, say: Callable[[str], None]) -> None:
    """Report what the files hold and what was done with them, line by line."""
    outcomes = list(summary.outcomes.values())
    span = Span()
    for outcome in outcomes:
        span.join(outcome.span)
    say(f"{_files_with_plays(outcomes)}{_from_to(span)}.")
    if small := [outcome for outcome in outcomes if outcome.is_small]:
        say(f"From the small export (account data), exact to the minute: {_files_with_plays(small)}.")
    if len(summary.exports) > 1:
        say(
            f"These are {len(summary.exports)} exports, each imported separately; plays that several of them have "
            "count once."
        )
    if summary.duplicates:
        equal, count = ("equals", "counts") if summary.duplicates == 1 else ("equal", "count")
        say(f"{summary.duplicates:,} of these {equal} another play in every field and {count} once in `listens`.")
    if unchanged := [outcome for outcome in outcomes if outcome.status == "unchanged"]:
        say(f"Skipped because already imported: {_files_with_plays(unchanged)}.")
    if summary.repeated:
        say(f"Skipped because passed twice: {join_names(summary.repeated)}.")
    for line in _describe_skipped(found):
        say(line)
    for outcome in outcomes:
        for problem in _problems(outcome):
            say(f"{outcome.name}: {problem}.")


def join_names(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    return f"{', '.join(names[:_NAMES_SHOWN])}{more}"


def describe_broken(broken: Sequence[FileOutcome]) -> tuple[str, str]:
    """Return the beginning of a sentence on files that cannot be read to their end, and advice as an imperative."""
    names = join_names([outcome.name for outcome in broken])
    fixes = [outcome.problem.fix for outcome in broken if outcome.problem]
    return f"{names} cannot be read to the end", _advice(fixes)


def _advice(fixes: Sequence[str]) -> str:
    """Return what to do with files, given the fix for each of them."""
    if len(set(fixes)) > 1:
        return "fix each of them"
    return fixes[0].format(it="it" if len(fixes) == 1 else "them")


def _describe_skipped(found: FoundFiles) -> Iterator[str]:
    """Yield sentences about what is not imported: files without plays by kind, and files that cannot be opened."""
    by_label: dict[str, list[str]] = {}
    for one in found.skipped:
        by_label.setdefault(one.diagnosis.label, []).append(one.name)
    for label, names in by_label.items():
        yield f"Left out ({label}): {join_names(_without_repeats(names))}."
    if unopened := found.unopened:
        it = "it" if len(unopened) == 1 else "they"
        names = _without_repeats([*map(_with_reason, unopened)])
        yield f"Left out because {it} cannot be opened: {join_names(names)}."


def _without_repeats(names: Sequence[str]) -> list[str]:
    """Return each name once, with the number of files that have it."""
    return [name if count == 1 else f"{name} ({count} files)" for name, count in Counter(names).items()]


def _with_reason(one: SkippedFile) -> str:
    return f"{one.name} ({one.diagnosis.what}: {one.diagnosis.advice})"


def _why_useless(outcome: FileOutcome) -> str:
    reasons = [str(outcome.rejected)] if outcome.rejected.count else []
    if outcome.problem:
        reasons.append(outcome.problem.why)
    return ", and ".join(reasons)


def _problems(outcome: FileOutcome) -> Iterator[str]:
    if outcome.rejected.count:
        of = pluralize(outcome.elements, "element")
        yield f"{outcome.rejected.count:,} of {of} cannot become plays: {outcome.rejected}"
    if outcome.is_mixed:
        extended = outcome.plays - outcome.account_data_plays
        yield (
            f"mixes both exports, with {pluralize(extended, 'play')} in the extended form and "
            f"{outcome.account_data_plays:,} in the small one; each play is treated according to its form"
        )
    for count, when in (
        (outcome.early_plays, f"before {EARLIEST.year}, when Spotify was launched"),
        (outcome.future_plays, "in the future"),
    ):
        if count:
            are = "is" if count == 1 else "are"
            yield (
                f"{count:,} of {pluralize(outcome.plays, 'play')} {are} dated {when}; such plays stay in `plays` but "
                "do not count as listens"
            )
    if outcome.problem:
        yield f"{outcome.problem.why}; {outcome.problem.advice}"


def _capitalized(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


def _files_with_plays(outcomes: Sequence[FileOutcome]) -> str:
    plays = sum(outcome.plays for outcome in outcomes)
    return f"{pluralize(len(outcomes), 'file')} with {pluralize(plays, 'play')}"


def _from_to(span: Span) -> str:
    return f", {span.first.date()} to {span.last.date()}" if span.first and span.last else ""
