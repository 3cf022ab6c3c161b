"""Which files have been imported: one JSON object per account, next to the extract function's own state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cli.errors import CommandError
from cli.import_manifest import STREAM
from cli.privacy_export import Span
from handlers import layout
from handlers.layout import parse_time
from handlers.raw.bucket import RawBucket
from handlers.raw.state import Slot, StateError, StateFile


@dataclass(frozen=True, kw_only=True)
class ImportedFile:
    """A file that has been imported completely, with what is reported when it is passed again."""

    read_id: str
    keys: tuple[str, ...]
    records: int
    """Lines of its raw objects."""
    plays: int
    """How many of them become rows in `plays`."""
    extracted_at: str
    span: Span

    @classmethod
    def parse(cls, content: object) -> ImportedFile | None:
        """Parse an entry of the state; None if it is anything else, and the file is imported again."""
        if not isinstance(content, dict) or content.get("mode") != "full":
            return None
        read_id, extracted_at, keys, records = (
            content.get(name) for name in ("read_id", "extracted_at", "keys", "records")
        )
        if not (
            isinstance(read_id, str)
            and isinstance(extracted_at, str)
            and isinstance(keys, list)
            and all(isinstance(key, str) for key in keys)
            and type(records) is int
        ):
            return None
        plays = content.get("plays")
        span = Span(parse_time(content.get("first_played_at")), parse_time(content.get("last_played_at")))
        return cls(
            read_id=read_id,
            keys=tuple(keys),
            records=records,
            plays=plays if type(plays) is int else records,
            extracted_at=extracted_at,
            span=span,
        )

    def content(self) -> dict[str, Any]:
        """Return the entry for the state."""
        return {
            "mode": "full",
            "read_id": self.read_id,
            "keys": list(self.keys),
            "records": self.records,
            "plays": self.plays,
            "extracted_at": self.extracted_at,
            "first_played_at": self.span.first.isoformat() if self.span.first else "",
            "last_played_at": self.span.last.isoformat() if self.span.last else "",
        }


class ImportState:
    """The files of one account that have been imported completely, by unit."""

    def __init__(self, bucket: RawBucket, account_id: str) -> None:
        self._files = Slot(StateFile(bucket, layout.state_key(account_id, STREAM)), "files")

    def get(self, unit: str, read_id: str) -> ImportedFile | None:
        """Return a file that has been imported before; None if it has not."""
        imported = ImportedFile.parse(self._files.content.get(unit))
        return imported if imported and imported.read_id == read_id else None

    def add(self, unit: str, imported: ImportedFile) -> None:
        """Add a file, keeping what other imports have added in the meantime.

        Raises:
            CommandError: other imports won every race for the update.
        """
        try:
            self._files.update(lambda files: {**files, unit: imported.content()})
        except StateError as error:
            raise CommandError(
                "Other imports keep updating the list of imported files: run the command again when they have finished."
            ) from error
