"""The limits of one import: far more than any real export, but little enough to be read completely.

An export has a few dozen files of about 12 MB; twenty years of listening day and night would fill 3 GB.
docs/import-history.md lists these limits.
"""

from __future__ import annotations

from cli.errors import CommandError

MAX_ENTRIES = 100_000
"""Files in folders and entries in zips that are looked at."""
MAX_FILES = 1_000
"""Files that hold plays."""
MAX_BYTES = 8 * 1024**3
"""Bytes of all files that hold plays, unpacked; also bytes of all zips that are unpacked from other zips."""
MAX_ZIPS = 100
"""Zips; each stays open until the import ends."""
MAX_ZIP_DEPTH = 3
"""How many levels of zips may be nested."""
MAX_LISTING_BYTES = 8 * 1024**2
"""Bytes of a zip's central directory, which is read into memory: an entry takes about a hundred."""


class LimitError(CommandError):
    """An import is larger than allowed; the message is one sentence."""


def check(count: int, most: int, what: str) -> None:
    """Check a limit.

    Raises:
        LimitError: the count exceeds it.
    """
    if count > most:
        raise LimitError(
            f"There are more than {what}, far more than any export has: pass only the zip that Spotify sent, or its "
            "files."
        )
