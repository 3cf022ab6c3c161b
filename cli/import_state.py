"""What is imported already: one JSON object an account, beside the extract function's own state."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from cli.errors import CommandError
from cli.import_manifest import STREAM
from cli.privacy_export import Span
from handlers import layout
from handlers.raw.bucket import Bucket
from handlers.raw.state import Slot, StateError, StateFile


@dataclass(frozen=True)
class ImportedFile:
    """A file that is completely imported: what an import that meets it again says of it."""

    read_id: str
    keys: tuple[str, ...]
    records: int
    extracted_at: str
    first_played_at: str
    last_played_at: str

    @property
    def span(self) -> Span:
        """From its first to its last play."""
        return Span(self.first_played_at, self.last_played_at)

    @classmethod
    def parse(cls, content: object) -> ImportedFile | None:
        """What state holds; None where it is something else, so that the file is imported anew."""
        if not isinstance(content, dict) or content.get("mode") != "full":
            return None
        texts = [content.get(name) for name in ("read_id", "extracted_at", "first_played_at", "last_played_at")]
        keys, records = content.get("keys"), content.get("records")
        if not (
            all(isinstance(text, str) for text in texts)
            and isinstance(keys, list)
            and all(isinstance(key, str) for key in keys)
            and type(records) is int
        ):
            return None
        read_id, extracted_at, first, last = map(str, texts)
        return cls(read_id, tuple(keys), records, extracted_at, first, last)

    def content(self) -> dict[str, Any]:
        """The form in which state holds it."""
        return {**asdict(self), "keys": list(self.keys), "mode": "full"}


class ImportState:
    """The files of one account that are completely imported, by their unit."""

    def __init__(self, bucket: Bucket, account_id: str) -> None:
        self._files = Slot(StateFile(bucket, layout.state_key(account_id, STREAM)), "files")

    def get(self, unit: str, read_id: str) -> ImportedFile | None:
        """A file that is imported already; None where it is not."""
        imported = ImportedFile.parse(self._files.content.get(unit))
        return imported if imported and imported.read_id == read_id else None

    def add(self, unit: str, imported: ImportedFile) -> None:
        """Note a file, beside what other imports have noted meanwhile.

        Raises:
            CommandError: others were first each time.
        """
        try:
            self._files.update(lambda files: {**files, unit: imported.content()})
        except StateError as error:
            raise CommandError(
                "Other imports keep changing what is noted as done: run the command again when they end."
            ) from error
