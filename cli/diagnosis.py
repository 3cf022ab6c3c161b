"""What a file is instead of plays or a zip of them, and what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass

AS_SENT = "give the file as Spotify sent it, or leave it out"
DOWNLOAD = "download {it} again from Spotify"
"""What to do about a `Problem`, with `{it}` for the file or files."""
DOWNLOAD_AGAIN = DOWNLOAD.format(it="it")
DOWNLOAD_EXPORT_AGAIN = "log in to Spotify and download the export again"
UNPACK = "unpack it and give what it holds"

_NOT_OF_A_STRANGE_FILE = frozenset({AS_SENT, DOWNLOAD_AGAIN, DOWNLOAD_EXPORT_AGAIN})
"""Advice on a file that was meant to be an export; any folder holds others."""
_ARTICLE_OR_ASIDE = re.compile(r"\Aan? | \([^)]*\)\Z")


@dataclass(frozen=True)
class Diagnosis:
    """What a file is, as the rest of a sentence that begins with its name."""

    what: str
    """What the file is, after the word "is"."""
    advice: str = AS_SENT
    """What to do, as an imperative."""
    detail: str = ""
    """More on what it is, after a comma."""

    def __str__(self) -> str:
        """The rest of the sentence."""
        return f"is {self.what}{', ' if self.detail else ''}{self.detail}: {self.advice}."

    @property
    def label(self) -> str:
        """What a file beside an export is, in a word or two, and what to do where it may hold plays after all."""
        what = _ARTICLE_OR_ASIDE.sub("", self.what)
        return what if self.advice in _NOT_OF_A_STRANGE_FILE else f"{what}: {self.advice}"


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be read from some place on, and what to do about it."""

    why: str
    """A clause: `the zip is damaged`."""
    fix: str = DOWNLOAD
    """An imperative, with `{it}` for the file."""

    @property
    def advice(self) -> str:
        """What to do with the one file that has the problem."""
        return self.fix.format(it="it")

    @property
    def diagnosis(self) -> Diagnosis:
        """The problem as what the one file that has it is."""
        return Diagnosis(f"unreadable because {self.why}", self.advice)


class ProblemError(Exception):
    """A file that cannot be read from some place on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.why)
        self.problem = problem
