"""Diagnoses of files that cannot be imported, with advice on what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

AS_SENT = "pass the file as Spotify sent it, or leave it out"
DOWNLOAD = "download {it} again from Spotify"
"""Advice on a `Problem`, with `{it}` for the file or files."""
DOWNLOAD_AGAIN = DOWNLOAD.format(it="it")
DOWNLOAD_EXPORT_AGAIN = "log in to Spotify and download the export again"
UNPACK = "unpack it and pass its contents"

_ADVICE_ON_EXPORT_FILES = frozenset({AS_SENT, DOWNLOAD_AGAIN, DOWNLOAD_EXPORT_AGAIN})
"""Advice that fits only files meant to be part of an export; a folder may hold any other file."""
_ARTICLE_OR_ASIDE = re.compile(r"\Aan? | \([^)]*\)\Z")


@dataclass(frozen=True)
class Diagnosis:
    """What kind of file it is, as the rest of a sentence that begins with its name."""

    what: str
    """The kind of file, as it follows the word "is"."""
    advice: str = AS_SENT
    """What to do, as an imperative."""
    detail: str = ""
    """A further explanation, which follows a comma."""

    def __str__(self) -> str:
        """Return the rest of the sentence."""
        return f"is {self.what}{', ' if self.detail else ''}{self.detail}: {self.advice}."

    @property
    def label(self) -> str:
        """A short name for the kind of file, with advice if the file may contain plays after all."""
        what = _ARTICLE_OR_ASIDE.sub("", self.what)
        return what if self.advice in _ADVICE_ON_EXPORT_FILES else f"{what}: {self.advice}"


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be read beyond some point, and what to do about it."""

    why: str
    """A clause: `the zip is damaged`."""
    fix: str = DOWNLOAD
    """An imperative, with `{it}` for the file."""

    @property
    def advice(self) -> str:
        """The advice for a single file."""
        return self.fix.format(it="it")

    @property
    def diagnosis(self) -> Diagnosis:
        """The problem as the diagnosis of a single file."""
        return Diagnosis(f"unreadable because {self.why}", self.advice)


class ProblemError(Exception):
    """A file cannot be read beyond some point."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.why)
        self.problem = problem
