"""What an import says of the files it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.diagnosis import DOWNLOAD, Problem
from cli.errors import CommandError
from cli.export_files import FoundFiles, HashedFile, LeftOut
from cli.import_manifest import STREAM
from cli.presentation import counted
from cli.privacy_export import Faults, Span
from handlers.raw.manifest import UnitRow, UnitStatus
from handlers.streaming_history import EARLIEST, MAX_MONTHS

_NAMES_SHOWN = 10
_GIVE = "Give the zip that Spotify sent, or the folder it unpacks to."


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
    account_data_plays: int = 0
    """How many of its plays have the form of the small export; 0 where it was imported before."""
    early_plays: int = 0
    """How many of its plays lie before Spotify began; 0 where it was imported before."""
    future_plays: int = 0
    """How many of its plays lie in the future; 0 where it was imported before."""
    problem: Problem | None = None
    """Why it was not read to its end."""
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
        """Whether its plays are of both exports."""
        return 0 < self.account_data_plays < self.plays

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


@dataclass
class Taken:
    """What became of all files."""

    exports: list[list[str]]
    """Of each export the contents by their hash."""
    repeated: list[str]
    """Names of files that were given twice."""
    outcomes: dict[str, Outcome]
    """Of each content, by its hash."""
    doubled: int = 0
    """How many of the plays that were read now equal another one in every field."""

    @property
    def broken(self) -> list[Outcome]:
        """The files that were not read to their end."""
        return [outcome for outcome in self.outcomes.values() if outcome.problem]

    @property
    def has_whole(self) -> bool:
        """Whether any file was read to its end."""
        return any(not outcome.problem for outcome in self.outcomes.values())


def refuse_nothing(paths: Sequence[Path], found: FoundFiles) -> None:
    """End the command where no file holds plays.

    Raises:
        CommandError: the message lists what was found instead.
    """
    if found.plays:
        return
    where = listed([str(path) for path in paths])
    raise CommandError(
        " ".join(
            (
                f"Nothing to import: {where} {'holds' if len(paths) == 1 else 'hold'} no plays.",
                *_left_out(found),
                _GIVE,
            )
        )
    )


def refuse_useless(outcomes: Sequence[Outcome]) -> None:
    """End the command where a file gives no row, or more than the transform takes, or all of them together none.

    Args:
        outcomes: of the files that were read, before anything of them is stored.

    Raises:
        CommandError: the message says of each file why.
    """
    useless = [outcome for outcome in outcomes if outcome.is_useless]
    if useless:
        said = [f"{outcome.name} contains no usable plays: {_why_useless(outcome)}" for outcome in useless]
        more = len(said) - _NAMES_SHOWN
        others = (
            f"; {counted(more, 'more file')} {'contains' if more == 1 else 'contain'} none either" if more > 0 else ""
        )
        it = "it" if len(said) == 1 else "them"
        advice = _advice([outcome.problem.fix if outcome.problem else DOWNLOAD for outcome in useless])
        raise CommandError(
            f"{'; '.join(said[:_NAMES_SHOWN])}{others}. Nothing was imported: {advice}, or leave {it} out."
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
            f"Nothing to import: {listed(names)} {'is an empty list' if len(names) == 1 else 'are empty lists'}. "
            f"{_GIVE}"
        )


def report(found: FoundFiles, taken: Taken, say: Callable[[str], None]) -> None:
    """Say what the files hold and what became of them, a line each."""
    outcomes = list(taken.outcomes.values())
    span = Span()
    for outcome in outcomes:
        span.join(outcome.span)
    say(f"{_files_with_plays(outcomes)}{_from_to(span)}.")
    if small := [outcome for outcome in outcomes if outcome.is_small]:
        say(f"From the small export (account data), exact to the minute: {_files_with_plays(small)}.")
    if len(taken.exports) > 1:
        say(f"These are {len(taken.exports)} exports, each imported on its own; what several of them hold counts once.")
    if taken.doubled:
        equal, count = ("equals", "counts") if taken.doubled == 1 else ("equal", "count")
        say(f"{taken.doubled:,} of these {equal} another play in every field and {count} once in `listens`.")
    if unchanged := [outcome for outcome in outcomes if outcome.status == "unchanged"]:
        say(f"Skipped because already imported: {_files_with_plays(unchanged)}.")
    if taken.repeated:
        say(f"Skipped because given twice: {listed(taken.repeated)}.")
    for line in _left_out(found):
        say(line)
    for outcome in outcomes:
        for trouble in _troubles(outcome):
            say(f"{outcome.name}: {trouble}.")


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    return f"{', '.join(names[:_NAMES_SHOWN])}{more}"


def incomplete(broken: Sequence[Outcome]) -> tuple[str, str]:
    """The files that were not read to their end as the beginning of a sentence, and what to do, as an imperative."""
    names, verb = listed([outcome.name for outcome in broken]), "is" if len(broken) == 1 else "are"
    fixes = [outcome.problem.fix for outcome in broken if outcome.problem]
    said = f"{names} {verb} incomplete" if set(fixes) == {DOWNLOAD} else f"{names} cannot be read to the end"
    return said, _advice(fixes)


def _advice(fixes: Sequence[str]) -> str:
    """What to do with files of which each has its own fix."""
    if len(set(fixes)) > 1:
        return "fix each of them"
    return fixes[0].format(it="it" if len(fixes) == 1 else "them")


def _left_out(found: FoundFiles) -> Iterator[str]:
    """What is not imported, in sentences: what holds no plays by what it is, what cannot be opened one by one."""
    by_label: dict[str, list[str]] = {}
    for one in found.left_out:
        by_label.setdefault(one.diagnosis.label, []).append(one.name)
    for label, names in by_label.items():
        yield f"Left out ({label}): {listed(names)}."
    if unopened := found.unopened:
        it = "it" if len(unopened) == 1 else "they"
        yield f"Left out because {it} cannot be opened: {listed([*map(_with_reason, unopened)])}."


def _with_reason(one: LeftOut) -> str:
    return f"{one.name} ({one.diagnosis.what}: {one.diagnosis.advice})"


def _why_useless(outcome: Outcome) -> str:
    reasons = [str(outcome.faults)] if outcome.faults.count else []
    if outcome.problem:
        reasons.append(outcome.problem.why)
    return ", and ".join(reasons)


def _troubles(outcome: Outcome) -> Iterator[str]:
    if outcome.faults.count:
        of = counted(outcome.elements, "element")
        yield f"{outcome.faults.count:,} of {of} cannot become plays: {outcome.faults}"
    if outcome.is_mixed:
        extended = outcome.plays - outcome.account_data_plays
        yield (
            f"mixes both exports, {counted(extended, 'play')} in the extended form and "
            f"{outcome.account_data_plays:,} in the small one; each counts by its own form"
        )
    for count, when in (
        (outcome.early_plays, f"before {EARLIEST.year}, when Spotify began"),
        (outcome.future_plays, "in the future"),
    ):
        if count:
            are = "is" if count == 1 else "are"
            yield (
                f"{count:,} of {counted(outcome.plays, 'play')} {are} dated {when}; such plays stay in `plays`, but "
                "do not count as listens"
            )
    if outcome.problem:
        yield f"{outcome.problem.why}; {outcome.problem.advice}"


def _capitalized(clause: str) -> str:
    return clause[:1].upper() + clause[1:]


def _files_with_plays(outcomes: Sequence[Outcome]) -> str:
    plays = sum(outcome.plays for outcome in outcomes)
    return f"{counted(len(outcomes), 'file')} with {counted(plays, 'play')}"


def _from_to(span: Span) -> str:
    return f", {span.first.date()} to {span.last.date()}" if span.first and span.last else ""
