"""A person's CSV of labels: what its rows say, or what is wrong with them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cli.errors import CommandError
from cli.text import quoted

MAX_LABELS = 10_000
_COLUMNS = ("subject", "label", "excluded")
_CHARACTERS = 500
_LINK = re.compile(r"https://open\.spotify\.com/(?:intl-[\w-]+/)?(track|episode|playlist)/(\w+)(?:\?.*)?", re.ASCII)
_URI = re.compile(r"spotify:(track|episode|playlist):\w+", re.ASCII)
_ANSWERS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False, "": False}


@dataclass(frozen=True)
class Label:
    """What a person says about a track, an episode, a playlist or an artist."""

    subject: str
    """Its Spotify URI, or the name of an artist or podcast in lower case."""
    label: str | None
    excluded: bool
    """Whether `listens` leaves the plays out."""


def read_labels(path: Path) -> list[Label]:
    """Return the labels in a CSV file with the columns subject, label and excluded.

    Raises:
        CommandError: the file cannot be read, or a row cannot be understood.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            labels = dict(_rows(path, csv.reader(file)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CommandError(f"Cannot read {path} ({quoted(reason)}): pass a CSV file in UTF-8.") from error
    if len(labels) > MAX_LABELS:
        raise CommandError(f"{path} has {len(labels):,} labels: a file may have up to {MAX_LABELS:,}.")
    return list(labels.values())


def _rows(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[str, Label]]:
    header = [name.strip().lower() for name in next(reader, [])]
    if "subject" not in header or not {*header} <= {*_COLUMNS} or len({*header}) < len(header):
        raise CommandError(f"The first line of {path} must be `subject,label,excluded`; the last two may be missing.")
    seen: dict[str, int] = {}
    for number, cells in enumerate(reader, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise CommandError(f"Row {number} of {path} has {len(cells)} cells, not {len(header)}: quote the commas.")
        label = _label(path, number, dict(zip(header, (cell.strip() for cell in cells), strict=True)))
        first = seen.setdefault(label.subject, number)
        if first != number:
            raise CommandError(f"Rows {first} and {number} of {path} have the same subject: keep one of them.")
        yield label.subject, label


def _label(path: Path, number: int, row: dict[str, str]) -> Label:
    subject = row["subject"]
    if link := _LINK.fullmatch(subject):
        subject = f"spotify:{link[1]}:{link[2]}"
    if not subject or any(len(cell) > _CHARACTERS for cell in row.values()):
        raise CommandError(f"Row {number} of {path} has no subject, or a cell over {_CHARACTERS} characters.")
    if subject.startswith(("spotify:", "https:", "http:")):
        if not _URI.fullmatch(subject):
            raise CommandError(
                f"Row {number} of {path} is about {quoted(subject)}: a subject is the URI or link of a track, an "
                "episode or a playlist, or the name of an artist or podcast."
            )
    else:
        subject = subject.lower()
    excluded = _ANSWERS.get(row.get("excluded", "").lower())
    if excluded is None:
        raise CommandError(f"Row {number} of {path} says excluded = {quoted(row['excluded'])}: write yes or no.")
    return Label(subject, row.get("label") or None, excluded)
