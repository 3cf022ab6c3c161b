"""How much one import may hold: far more than any real export, and little enough to be read to its end.

An export has some tens of files of about 12 MB; a person who has listened day and night for twenty years fills 3 GB.
docs/import-history.md names these limits.
"""

from __future__ import annotations

from cli.errors import CommandError

MAX_ENTRIES = 100_000
"""Files in folders and entries of zips that are looked at."""
MAX_FILES = 1_000
"""Files that hold plays."""
MAX_BYTES = 8 * 1024**3
"""Bytes of all files that hold plays, unpacked, and of zips that are unpacked from others."""
MAX_ZIPS = 100
"""Zips; each stays open until the import ends."""
MAX_ZIP_DEPTH = 3
"""How many zips may lie in one another."""
MAX_LISTING_BYTES = 8 * 1024**2
"""Bytes of a zip's list of entries, which is read into memory: an entry takes about a hundred."""


class LimitError(CommandError):
    """More than an import may hold; the message is one sentence."""


def check(count: int, most: int, what: str) -> None:
    """Refuse more than a limit.

    Raises:
        LimitError: there is more.
    """
    if count > most:
        raise LimitError(
            f"There are more than {what}, far beyond any export: give only the zip that Spotify sent, or its files."
        )
