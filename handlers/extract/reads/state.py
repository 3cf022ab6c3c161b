"""What the extractor keeps in state: the last complete read of each stream or unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handlers import layout
from handlers.extract.logs import LOG
from handlers.layout import parse_time
from handlers.raw.bucket import RawBucket
from handlers.raw.state import Content, StateFile


class ConcurrentReadError(Exception):
    """Another run has resumed the same read, which is left to it; the message is the unit's reason."""

    def __init__(self) -> None:
        super().__init__("Another run is reading the same list: it was left to that run.")


def open_state(bucket: RawBucket, key: str) -> StateFile:
    """Return a state object; log if it is unreadable."""
    return StateFile(bucket, key, _warn)


@dataclass(frozen=True, kw_only=True)
class CompleteRead:
    """A finished read of a stream or unit, as the state keeps it and `unchanged` units repeat it."""

    read_id: str
    mode: str
    """`full` or `incremental`."""
    keys: tuple[str, ...]
    records: int
    started_at: datetime
    """When its first record was read; `begun_at` in the state."""
    extracted_at: datetime
    """When it ended."""

    def content(self) -> Content:
        """Return the form stored in the state."""
        return {
            "read_id": self.read_id,
            "mode": self.mode,
            "keys": list(self.keys),
            "records": self.records,
            "begun_at": layout.written(self.started_at),
            "extracted_at": layout.written(self.extracted_at),
        }

    @classmethod
    def parse(cls, content: object) -> CompleteRead | None:
        """Parse stored content; return None for anything else, so that the list is read again."""
        if not isinstance(content, dict):
            return None
        read_id, mode, keys, records = (content.get(name) for name in ("read_id", "mode", "keys", "records"))
        started_at, extracted_at = parse_time(content.get("begun_at")), parse_time(content.get("extracted_at"))
        if (
            not isinstance(read_id, str)
            or mode not in ("full", "incremental")
            or not isinstance(keys, list)
            or not all(isinstance(key, str) for key in keys)
            or type(records) is not int
            or started_at is None
            or extracted_at is None
        ):
            return None
        return cls(
            read_id=read_id,
            mode=mode,
            keys=tuple(keys),
            records=records,
            started_at=started_at,
            extracted_at=extracted_at,
        )


def is_superseded(content: object, read: CompleteRead) -> bool:
    """Return whether the stored read ended after this one."""
    stored = CompleteRead.parse(content)
    return stored is not None and stored.extracted_at > read.extracted_at


def _warn(key: str) -> None:
    LOG.warning("The state is unreadable: everything is read as in a first run.", extra={"key": key})
