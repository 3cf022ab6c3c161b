"""What is imported already: one JSON object an account, beside the extract function's own state."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from cli.errors import CommandError
from cli.privacy_export import Span
from cli.raw_bucket import ConflictError, RawBucket
from cli.raw_objects import STREAM
from handlers import layout

_TRIES = 10


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

    def __init__(self, bucket: RawBucket, account_id: str) -> None:
        self._bucket = bucket
        self._key = layout.state_key(account_id, STREAM)
        self._files: dict[str, Any] = {}
        self._etag: str | None = None
        self._load()

    def get(self, unit: str, read_id: str) -> ImportedFile | None:
        """A file that is imported already; None where it is not."""
        imported = ImportedFile.parse(self._files.get(unit))
        return imported if imported and imported.read_id == read_id else None

    def add(self, unit: str, imported: ImportedFile) -> None:
        """Note a file, beside what other imports have noted meanwhile.

        Raises:
            CommandError: others were first each time, or AWS did not answer.
        """
        for _ in range(_TRIES):
            files = {**self._files, unit: imported.content()}
            body = json.dumps({"files": files}, sort_keys=True).encode()
            try:
                self._etag = self._bucket.replace(self._key, body, "application/json", self._etag)
            except ConflictError:
                self._load()
            else:
                self._files = files
                return
        raise CommandError("Other imports keep changing what is noted as done: run the command again when they end.")

    def _load(self) -> None:
        self._files, self._etag = {}, None
        stored = self._bucket.get(self._key)
        if stored is None:
            return
        body, self._etag = stored
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        files = content.get("files") if isinstance(content, dict) else None
        if isinstance(files, dict):
            self._files = files
