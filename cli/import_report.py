"""What an import says of the files it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cli.errors import CommandError
from cli.export_files import FoundFiles, HashedFile
from cli.import_manifest import STREAM
from cli.presentation import counted
from cli.privacy_export import Faults, Span
from handlers.raw.manifest import UnitRow, UnitStatus
from handlers.streaming_history import MAX_MONTHS

_NAMES_SHOWN = 10


@dataclass
class Outcome:
    """What became of one file."""

    hashed_file: HashedFile
    status: UnitStatus
    records: int
    """Lines of its raw objects."""
    plays: int
    """How many of them become rows of `plays`."""
    span: Span
    elements: int
    """Elements of its list that were read; 0 where it was imported before."""
    faults: Faults
    months: int
    """How many months its plays lie in; 0 where it was imported before."""
    problem: str | None = None
    """Why it was not read to its end."""
    read_keys: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.hashed_file.file.name

    @property
    def is_useless(self) -> bool:
        """Whether nothing of it can become a row; an empty list is a file without plays, and not that."""
        return not self.plays and bool(self.problem or self.faults.count)

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
            records=self.records if wrote else 0,
            objects=len(self.read_keys) if wrote else 0,
            read_complete=whole,
            read_keys=list(self.read_keys) if whole else [],
            read_records=self.records if whole else 0,
        )


@dataclass
class Taken:
    """What became of all files."""

    exports: list[list[str]]
    """Of each export the contents by their hash."""
    repeated: list[str]
    """Names of files that were given twice."""
    outcomes: dict[str, Outcome]
    """Of each content, by its hash."""

    @property
    def broken(self) -> list[str]:
        """Names of the files that are not whole."""
        return [outcome.name for outcome in self.outcomes.values() if outcome.problem]


def refuse_useless(outcomes: Sequence[Outcome]) -> None:
    """End the command where a file gives no row, or more than the transform takes, or all of them together none.

    Args:
        outcomes: of the files that were read, before anything of them is stored.

    Raises:
        CommandError: the message says of each file why.
    """
    useless = [outcome for outcome in outcomes if outcome.is_useless]
    if useless:
        said = [f"{outcome.name} gives not a single play: {_why_useless(outcome)}" for outcome in useless]
        more = f"; nor do {len(said) - _NAMES_SHOWN:,} more files" if len(said) > _NAMES_SHOWN else ""
        it = "it" if len(said) == 1 else "them"
        raise CommandError(
            f"{'; '.join(said[:_NAMES_SHOWN])}{more}. Nothing was imported: download {it} again from Spotify, or leave "
            f"{it} out."
        )
    for outcome in outcomes:
        if outcome.months > MAX_MONTHS:
            raise CommandError(
                f"{outcome.name} has plays of more than {MAX_MONTHS} months, longer than there are exports: its times "
                "are wrong, so leave it out. Nothing was imported."
            )
    if outcomes and not any(outcome.plays for outcome in outcomes):
        names = [outcome.name for outcome in outcomes]
        raise CommandError(
            f"Nothing to import: {listed(names)} {'is an empty list' if len(names) == 1 else 'are empty lists'}. Is it "
            "the right export?"
        )


def report(found: FoundFiles, taken: Taken, say: Callable[[str], None]) -> None:
    """Say what the files hold and what became of them, a line each."""
    outcomes = list(taken.outcomes.values())
    span = Span()
    for outcome in outcomes:
        span.join(outcome.span)
    say(f"{_files_with_plays(outcomes)}{_from_to(span)}.")
    if small := [outcome for outcome in outcomes if outcome.hashed_file.file.kind == "account_data"]:
        say(f"Of the small export (account data), exact to the minute: {_files_with_plays(small)}.")
    if len(taken.exports) > 1:
        say(f"They are {len(taken.exports)} exports, each an import of its own: what stands in several counts once.")
    if unchanged := [outcome for outcome in outcomes if outcome.status == "unchanged"]:
        say(f"Skipped, as imported before: {_files_with_plays(unchanged)}.")
    if taken.repeated:
        say(f"Skipped, as given twice: {listed(taken.repeated)}.")
    if found.left_out:
        say(f"Left out, as they hold no plays: {listed(found.left_out)}.")
    if found.unopened:
        say(f"Left out, as they cannot be opened: {listed(found.unopened)}. Name one alone to learn why.")
    for outcome in outcomes:
        for trouble in _troubles(outcome):
            say(f"{outcome.name}: {trouble}")


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    return f"{', '.join(names[:_NAMES_SHOWN])}{more}"


def are_not_whole(names: Sequence[str]) -> str:
    """The names, as the beginning of a sentence."""
    return f"{listed(names)} {'is' if len(names) == 1 else 'are'} not whole"


def _why_useless(outcome: Outcome) -> str:
    reasons = []
    if outcome.faults.count:
        reasons.append(str(outcome.faults))
    if outcome.problem:
        reasons.append(outcome.problem[0].lower() + outcome.problem[1:].rstrip("."))
    return ", and ".join(reasons)


def _troubles(outcome: Outcome) -> Iterator[str]:
    if outcome.faults.count:
        of = counted(outcome.elements, "element")
        yield f"{outcome.faults.count:,} of {of} cannot become plays: {outcome.faults}."
    if outcome.problem:
        yield outcome.problem


def _files_with_plays(outcomes: Sequence[Outcome]) -> str:
    plays = sum(outcome.plays for outcome in outcomes)
    return f"{counted(len(outcomes), 'file')} with {counted(plays, 'play')}"


def _from_to(span: Span) -> str:
    return f", {span.first.date()} to {span.last.date()}" if span.first and span.last else ""
