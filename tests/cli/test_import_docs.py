"""docs/import-history.md describes imports as they are."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from cli import import_limits
from cli.privacy_export import MAX_ELEMENT_BYTES
from handlers.streaming_history import EARLIEST, FIELDS, MAX_AHEAD, MAX_MONTHS, MAX_TEXT_CHARACTERS

TEXT = " ".join((Path(__file__).parents[2] / "docs" / "import-history.md").read_text(encoding="utf-8").split())


def between(first: str, last: str) -> str:
    return TEXT[TEXT.index(first) : TEXT.index(last)]


def test_the_fields_that_are_kept_are_those_of_the_docs() -> None:
    kept = between("with these fields and no others:", "Everything else is dropped")
    assert set(re.findall(r"`(\w+)`", kept)) == FIELDS


def test_the_docs_name_fields_that_are_never_kept() -> None:
    dropped = between("Everything else is dropped", "So is a list")
    names = set(re.findall(r"`(\w+)`", dropped))
    assert names >= {"ip_addr", "user_agent_decrypted", "username", "city", "longitude"}
    assert names.isdisjoint(FIELDS)


def test_the_limits_are_those_of_the_docs() -> None:
    said = between("## Limits of one import", "## How `listens` counts imports")
    for text in (
        f"{import_limits.MAX_FILES:,} files of plays with {import_limits.MAX_BYTES // 1024**3} GB",
        f"{import_limits.MAX_ENTRIES:,} files and entries of zips to search",
        f"{import_limits.MAX_ZIPS} zips, each with {import_limits.MAX_LISTING_BYTES // 1024**2} MB of names",
        f"A single element may take {MAX_ELEMENT_BYTES // 1024**2} MB",
        f"over {MAX_MONTHS} months",
    ):
        assert text in said
    assert import_limits.MAX_ZIP_DEPTH == 3  # a zip inside two others
    assert timedelta(days=1) == MAX_AHEAD
    assert f"dated before {EARLIEST.year} or more than a day after its import" in TEXT
    assert f"more than {MAX_TEXT_CHARACTERS:,} characters" in TEXT
